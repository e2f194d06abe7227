// Raw records to columns; see ring_columns.h. The inner loops of reading a ring: some tens of nanoseconds per
// record.

#include "ring_columns.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

/// Rows that are turned at once, column by column, while their records are in the cache.
constexpr size_t blockRows = 256;

template <typename Word>
void copyWords(const uint8_t *const *records, size_t count, uint32_t offset, uint8_t *out) {
    for (size_t i = 0; i < count; i++) memcpy(out + i * sizeof(Word), records[i] + offset, sizeof(Word));
}

void copyFixed(const uint8_t *const *records, size_t count, const RingColumn &column, uint8_t *out) {
    switch (column.width) {
        case 1:
            return copyWords<uint8_t>(records, count, column.offset, out);
        case 2:
            return copyWords<uint16_t>(records, count, column.offset, out);
        case 4:
            return copyWords<uint32_t>(records, count, column.offset, out);
        case 8:
            return copyWords<uint64_t>(records, count, column.offset, out);
        default:
            for (size_t i = 0; i < count; i++)
                memcpy(out + i * column.width, records[i] + column.offset, column.width);
    }
}

struct TextAt {
    const uint8_t *start;
    uint32_t length;
};

/// A record may say anything: what lies outside it is cut off.
TextAt textOf(const RingColumn &column, const uint8_t *record, uint32_t length) {
    const uint8_t *at = record + column.offset;
    if (column.kind == RingColumn::Kind::CharText)
        return {at, uint32_t(strnlen(reinterpret_cast<const char *>(at), column.width))};
    uint16_t place[2];
    memcpy(place, at, sizeof place);
    if (place[0] >= length) return {at, 0};
    return {record + place[0], std::min<uint32_t>(place[1], length - place[0])};
}

size_t aligned(size_t size) {
    return (size + 7) & ~size_t(7);
}

}  // namespace

ColumnBlock::~ColumnBlock() {
    free(memory);
}

uint32_t RingRows::append(const uint8_t *record, uint32_t length, uint32_t atLeast) {
    size_t at = bytes.size();
    size_t room = aligned(std::max(length, atLeast));
    bytes.resize(at + room);
    memcpy(bytes.data() + at, record, length);
    return uint32_t(at);
}

void sortRows(std::vector<RingRow> &rows) {
    // Records come out of order by a few places only: CPUs overtake each other between reading the clock and
    // taking room in the ring.
    size_t moves = 0;
    for (size_t i = 1; i < rows.size(); i++) {
        if (rows[i].time >= rows[i - 1].time) continue;
        if (moves > rows.size() * 4) {
            std::stable_sort(rows.begin(), rows.end(),
                             [](const RingRow &a, const RingRow &b) { return a.time < b.time; });
            return;
        }
        RingRow row = rows[i];
        size_t to = i;
        for (; to > 0 && rows[to - 1].time > row.time; to--, moves++) rows[to] = rows[to - 1];
        rows[to] = row;
    }
}

std::unique_ptr<ColumnBlock> ColumnWriter::write(const RingRows &source, const RingRow *rows, size_t count) {
    const size_t columns = plan_.columns.size();
    auto block = std::make_unique<ColumnBlock>();
    block->rows = count;
    block->places.resize(columns);
    const std::vector<uint8_t> absent(std::max(plan_.secondSize, 8u));

    size_t fixed = 0;
    for (size_t c = 0; c < columns; c++) {
        const RingColumn &column = plan_.columns[c];
        if (column.text()) {
            texts_[c].bytes.clear();
            texts_[c].offsets.clear();
            texts_[c].offsets.reserve(count + 1);
            texts_[c].offsets.push_back(0);
            continue;
        }
        block->places[c] = {fixed, 0, count * column.width};
        fixed = aligned(fixed + count * column.width);
    }
    // Fixed columns go to their place at once; text, whose size nobody knows yet, behind them at the end.
    size_t room = fixed;
    uint8_t *memory = static_cast<uint8_t *>(malloc(std::max<size_t>(room, 8)));
    if (!memory) throw std::bad_alloc();
    block->memory = memory;

    const uint8_t *first[blockRows], *second[blockRows];
    for (size_t from = 0; from < count; from += blockRows) {
        const RingRow *part = rows + from;
        size_t n = std::min(blockRows, count - from);
        for (size_t i = 0; i < n; i++) {
            first[i] = source.bytes.data() + part[i].offset;
            second[i] = part[i].completed ? source.bytes.data() + part[i].secondOffset : absent.data();
        }
        for (size_t c = 0; c < columns; c++) {
            const RingColumn &column = plan_.columns[c];
            const uint8_t *const *records = column.second ? second : first;
            uint8_t *out = memory + block->places[c].data + from * column.width;
            if (column.kind == RingColumn::Kind::Completed) {
                for (size_t i = 0; i < n; i++) out[i] = part[i].completed;
            } else if (!column.text()) {
                copyFixed(records, n, column, out);
            } else {
                Text &text = texts_[c];
                for (size_t i = 0; i < n; i++) {
                    TextAt at =
                        textOf(column, records[i], column.second ? part[i].secondLength : part[i].length);
                    text.bytes.insert(text.bytes.end(), at.start, at.start + at.length);
                    text.offsets.push_back(uint32_t(text.bytes.size()));
                }
            }
        }
    }

    for (size_t c = 0; c < columns; c++)
        if (plan_.columns[c].text()) room += aligned((count + 1) * 4) + aligned(texts_[c].bytes.size());
    if (room > fixed) {
        memory = static_cast<uint8_t *>(realloc(memory, room));
        if (!memory) throw std::bad_alloc();
        block->memory = memory;
    }
    size_t at = fixed;
    for (size_t c = 0; c < columns; c++) {
        if (!plan_.columns[c].text()) continue;
        const Text &text = texts_[c];
        memcpy(memory + at, text.offsets.data(), (count + 1) * 4);
        block->places[c].offsets = at;
        at += aligned((count + 1) * 4);
        if (!text.bytes.empty()) memcpy(memory + at, text.bytes.data(), text.bytes.size());
        block->places[c].data = at;
        block->places[c].dataSize = text.bytes.size();
        at += aligned(text.bytes.size());
    }
    block->size = std::max<size_t>(room, 8);
    return block;
}
