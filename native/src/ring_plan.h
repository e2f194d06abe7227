// How a ring's records become columns: made once from BTF, so that no BTF is read per record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <bpf/btf.h>

struct RingColumn {
    enum class Kind {
        Unsigned,
        Signed,
        /// struct text {u16 offset; u16 length}: text in the record's tail
        TailText,
        /// char[width], up to NUL
        CharText,
        Bytes,
        /// 1 where the completion came
        Completed,
    };
    std::string name;
    Kind kind;
    /// Of the member in its record.
    uint32_t offset;
    uint32_t width;
    /// Read from the completion instead of the record.
    bool second;
    bool text() const { return kind == Kind::TailText || kind == Kind::CharText; }
};

struct RingPlan {
    std::vector<RingColumn> columns;
    /// Bytes that the columns read of a record and of its completion; shorter ones count as followed by
    /// zeros.
    uint32_t fixedSize = 0, secondSize = 0;
    uint32_t timeOffset = 0;
    bool completes = false;
    uint32_t kindOffset = 0, kindWidth = 0, idOffset = 0, secondIdOffset = 0;
};

/// `completion` may be empty. Throws NotFound, InvalidObject.
RingPlan planRing(const btf *types, const std::string &record, const std::string &completion);
