/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* An entry of a hash, made where there is none: the first step of everything that aggregates. */
#pragma once

#include "losses.bpf.h"

/** The key's entry in a hash, or NULL when there is no room: counted for the container. fresh: a pointer to
 * what a new entry begins with; evaluated for a new entry only. Two CPUs that make it at once share one. */
#define map_entry(map, key, fresh, container)                  \
    ({                                                         \
        void *entry_ = bpf_map_lookup_elem(map, key);          \
        if (!entry_) {                                         \
            bpf_map_update_elem(map, key, fresh, BPF_NOEXIST); \
            entry_ = bpf_map_lookup_elem(map, key);            \
            if (!entry_) count_loss(container, LOSS_MAP_FULL); \
        }                                                      \
        entry_;                                                \
    })
