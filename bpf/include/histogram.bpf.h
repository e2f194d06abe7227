/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Histograms by powers of two: bucket i counts values in [2^i, 2^(i+1)), bucket 0 also 0. results/shape.ts
 * has the same rule; total is the exact sum of the values.
 *
 * Keys hold the CPU: a histogram is then only written by programs of one CPU that do not interrupt each
 * other, and needs no atomics. Rows that differ in it alone fold when they are read. */
#pragma once

#include "map_entry.bpf.h"

#define HISTOGRAM_BUCKETS 64

struct histogram {
    u64 buckets[HISTOGRAM_BUCKETS];
    u64 total;
};

static __always_inline u32 log2_bucket(u64 value) {
    u32 bucket = 0;
    if (value >> 32) bucket += 32, value >>= 32;
    if (value >> 16) bucket += 16, value >>= 16;
    if (value >> 8) bucket += 8, value >>= 8;
    if (value >> 4) bucket += 4, value >>= 4;
    if (value >> 2) bucket += 2, value >>= 2;
    if (value >> 1) bucket += 1;
    return bucket;
}

static const struct histogram histogram_empty = {};

/** Adds a value to the key's histogram in a hash; what has no room is counted for its container. */
static __always_inline void histogram_add(void *map, const void *key, u64 container, u64 value) {
    struct histogram *histogram = map_entry(map, key, &histogram_empty, container);
    if (!histogram) return;
    u32 bucket = log2_bucket(value) & (HISTOGRAM_BUCKETS - 1);
    histogram->buckets[bucket]++;
    histogram->total += value;
}

/** The same for programs that can interrupt each other on one CPU. */
static __always_inline void histogram_add_atomic(void *map, const void *key, u64 container, u64 value) {
    struct histogram *histogram = map_entry(map, key, &histogram_empty, container);
    if (!histogram) return;
    u32 bucket = log2_bucket(value) & (HISTOGRAM_BUCKETS - 1);
    __sync_fetch_and_add(&histogram->buckets[bucket], 1);
    __sync_fetch_and_add(&histogram->total, value);
}
