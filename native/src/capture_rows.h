// Packets on their way from capture_thread.h to JavaScript: rows, then columns in one piece of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct PacketRow {
    /// CLOCK_REALTIME, ns.
    uint64_t time, container;
    /// `length` bytes at `offset` of PacketRows::bytes; `original`: what it had on the wire.
    uint32_t offset, length, original;
    /// Which source: its place in `labels`.
    uint32_t label;
};

struct PacketRows {
    std::vector<uint8_t> bytes;
    std::vector<PacketRow> rows;
};

/// What all packets of a source have in common.
struct PacketLabel {
    std::string device;
    uint32_t linkType;
    bool operator==(const PacketLabel &) const = default;
};

/// Rows as columns in one piece of memory, for one ArrayBuffer. The places are from its start.
struct PacketBlock {
    size_t rows = 0, size = 0, late = 0;
    uint8_t *memory = nullptr;
    size_t times = 0, containers = 0, originals = 0, linkTypes = 0, deviceOffsets = 0, packetOffsets = 0;
    size_t devices = 0, devicesSize = 0, packets = 0, packetsSize = 0;
    PacketBlock() = default;
    PacketBlock(const PacketBlock &) = delete;
    PacketBlock &operator=(const PacketBlock &) = delete;
    ~PacketBlock();
};

/// Of `count` rows from one on.
std::unique_ptr<PacketBlock> packetBlock(const PacketRows &source, size_t from, size_t count,
                                         const std::vector<PacketLabel> &labels);
