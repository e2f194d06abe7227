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
