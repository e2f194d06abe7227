/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Strings: bytes up to a NUL in a room of a size that the caller knows. A loop of so many rounds as the room
 * has bytes is looked through by the verifier round by round; so each has one branch that goes on. */
#pragma once

#include "program.bpf.h"

/** Bytes before the NUL, at most size. */
FUNCTION u64 program_string_length(const char *text, u64 size) {
    u64 length = 0;
    for (u32 i = 0; i < 16384; i++) {
        if (i >= size || !text[i]) break;
        length++;
    }
    return length;
}

/** 0: the same up to the NUL or for so many bytes; else the difference of the first that differ. */
FUNCTION s64 program_string_compare(const char *left, const char *right, u64 size) {
    for (u32 i = 0; i < 16384; i++) {
        if (i >= size) break;
        s64 difference = (s64)(u8)left[i] - (s64)(u8)right[i];
        if (difference) return difference;
        if (!left[i]) break;
    }
    return 0;
}

/** The same without a meaning of NUL. */
FUNCTION s64 program_memory_compare(const char *left, const char *right, u64 size) {
    for (u32 i = 0; i < 16384; i++) {
        if (i >= size) break;
        s64 difference = (s64)(u8)left[i] - (s64)(u8)right[i];
        if (difference) return difference;
    }
    return 0;
}

/* Searches by a table: for each byte, a bit for each place of the pattern that it fits
 * (programs/lower/glob.ts). What has matched so far is one word. */

/** Makes the table of a text that is known only now; gives its length. table: zeros. */
FUNCTION u64 program_needle(u64 *table, const char *text, u64 size) {
    u64 length = 0;
    for (u32 i = 0; i < 63; i++) {
        if (i >= size || !text[i]) break;
        table[(u8)text[i]] |= 1ull << i;
        length++;
    }
    return length;
}

/** Where a text of that table and length first stands, else -1. */
FUNCTION s64 program_find(const char *text, u64 size, const u64 *table, u64 length) {
    u64 matched = 0;
    if (!length) return 0;
    u64 last = 1ull << ((length - 1) & 63);
    for (u32 i = 0; i < 16384; i++) {
        if (i >= size || !text[i]) break;
        matched = (matched << 1 | 1) & table[(u8)text[i]];
        if (matched & last) return (s64)i - (s64)length + 1;
    }
    return -1;
}

/** Whether a whole text matches. Each bit of matched: so many places are behind. */
FUNCTION u64 program_glob(const char *text, u64 size, const u64 *table, u64 stars, u64 end) {
    u64 matched = 1;
    for (u32 i = 0; i < 16384; i++) {
        if (i >= size || !text[i]) break;
        matched = (matched & table[(u8)text[i]]) << 1 | (matched & stars);
        if (!matched) break;
    }
    return (matched & end) != 0;
}
