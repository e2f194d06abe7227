// Rows of a ring on their way to JavaScript: raw records, sorted by time, then turned into columns in one
// block of memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ring_plan.h"

/// One row: its record, and its completion where it has come, in RingRows::bytes.
struct RingRow {
    uint64_t time;
    uint32_t offset, length;
    uint32_t secondOffset, secondLength;
    bool completed;
};

struct RingRows {
    std::vector<uint8_t> bytes;
    std::vector<RingRow> rows;
    /// Copies a record to the end, with zeros up to `atLeast` and room between records; gives its offset.
    uint32_t append(const uint8_t *record, uint32_t length, uint32_t atLeast);
    void clear() {
        bytes.clear();
        rows.clear();
    }
};

/// Where a column lies in the block: numbers or bytes at `data`; text at `data`, its offsets at `offsets`.
struct ColumnPlace {
    size_t data = 0, offsets = 0, dataSize = 0;
};

/// Columns of one batch; the block is handed to JavaScript as one ArrayBuffer.
struct ColumnBlock {
    size_t rows = 0, late = 0, size = 0;
    uint8_t *memory = nullptr;
    std::vector<ColumnPlace> places;
    ColumnBlock() = default;
    ColumnBlock(const ColumnBlock &) = delete;
    ColumnBlock &operator=(const ColumnBlock &) = delete;
    ~ColumnBlock();
};

/// By time, stable; next to nothing for what is nearly in order.
void sortRows(std::vector<RingRow> &rows);

/// Turns rows into blocks; keeps its buffers from one batch to the next.
class ColumnWriter {
  public:
    explicit ColumnWriter(const RingPlan &plan) : plan_(plan), texts_(plan.columns.size()) {}
    std::unique_ptr<ColumnBlock> write(const RingRows &source, const RingRow *rows, size_t count);

  private:
    struct Text {
        std::vector<uint8_t> bytes;
        std::vector<uint32_t> offsets;
    };
    const RingPlan &plan_;
    std::vector<Text> texts_;
};
