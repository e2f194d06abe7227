// Rows of packets to columns; see capture_rows.h.

#include "capture_rows.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

PacketBlock::~PacketBlock() {
    free(memory);
}

std::unique_ptr<PacketBlock> packetBlock(const PacketRows &source, size_t from, size_t count,
                                         const std::vector<PacketLabel> &labels) {
    auto block = std::make_unique<PacketBlock>();
    const PacketRow *rows = source.rows.data() + from;
    block->rows = count;
    for (size_t i = 0; i < count; i++) {
        block->devicesSize += labels[rows[i].label].device.size();
        block->packetsSize += rows[i].length;
    }
    size_t at = 0;
    auto place = [&](size_t size) { return std::exchange(at, at + size); };
    block->times = place(count * 8);
    block->containers = place(count * 8);
    block->originals = place(count * 4);
    block->linkTypes = place(count * 4);
    block->deviceOffsets = place(count * 4 + 4);
    block->packetOffsets = place(count * 4 + 4);
    block->devices = place(block->devicesSize);
    block->packets = place(block->packetsSize);
    block->size = std::max<size_t>(at, 8);
    block->memory = static_cast<uint8_t *>(malloc(block->size));
    if (!block->memory) throw std::bad_alloc();
    uint8_t *memory = block->memory;
    uint32_t device = 0, packet = 0;
    auto put = [&](size_t column, size_t i, auto word) {
        memcpy(memory + column + i * sizeof word, &word, sizeof word);
    };
    for (size_t i = 0; i < count; i++) {
        const PacketRow &row = rows[i];
        const PacketLabel &label = labels[row.label];
        put(block->times, i, row.time);
        put(block->containers, i, row.container);
        put(block->originals, i, row.original);
        put(block->linkTypes, i, label.linkType);
        put(block->deviceOffsets, i, device);
        put(block->packetOffsets, i, packet);
        memcpy(memory + block->devices + device, label.device.data(), label.device.size());
        if (row.length > 0)
            memcpy(memory + block->packets + packet, source.bytes.data() + row.offset, row.length);
        device += uint32_t(label.device.size());
        packet += row.length;
    }
    put(block->deviceOffsets, count, device);
    put(block->packetOffsets, count, packet);
    return block;
}
