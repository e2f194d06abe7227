// Reading a whole map: by batches where the kernel can, else key by key. See map.h.

#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>

#include "map.h"

namespace {

/// What a kernel says that has no batch operations for this kind of map.
bool unsupported(int error) {
    return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS ||
           error == 524 /* the kernel's ENOTSUPP */;
}

bool isArray(bpf_map_type type) {
    return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/// False where the kernel has no batches for it.
bool readBatches(const bpf_map *map, bool drain, MapContents *contents) {
    const size_t keySize = bpf_map__key_size(map), valueSize = storedValueSize(map);
    const int fd = bpf_map__fd(map);
    // One call for small maps; a bucket that is larger than the batch makes it grow.
    uint32_t batch = std::min<uint32_t>(bpf_map__max_entries(map), 8192);
    std::vector<uint8_t> in(std::max<size_t>(keySize, 8)), out(in.size());
    bool first = true;
    for (;;) {
        contents->keys.resize((contents->count + batch) * keySize);
        contents->values.resize((contents->count + batch) * valueSize);
        uint8_t *keys = contents->keys.data() + contents->count * keySize;
        uint8_t *values = contents->values.data() + contents->count * valueSize;
        uint32_t count = batch;
        auto call = drain ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch;
        int error =
            call(fd, first ? nullptr : in.data(), out.data(), keys, values, &count, nullptr) == 0 ? 0 : errno;
        if (first && unsupported(error)) return false;
        if (error == ENOSPC && batch < (1u << 24)) {
            batch *= 2;
            continue;
        }
        if (error && error != ENOENT)
            throw systemFailure(std::string("read map ") + bpf_map__name(map), error);
        contents->count += count;
        if (error == ENOENT) break;
        in = out;
        first = false;
    }
    return true;
}

void readSingly(const bpf_map *map, bool drain, MapContents *contents) {
    const size_t keySize = bpf_map__key_size(map), valueSize = storedValueSize(map);
    const int fd = bpf_map__fd(map);
    std::vector<uint8_t> key(keySize), next(keySize), value(valueSize);
    // All keys before the first delete: deleting the key that an iteration stands on starts it over.
    bool first = true;
    while (bpf_map_get_next_key(fd, first ? nullptr : key.data(), next.data()) == 0) {
        contents->keys.insert(contents->keys.end(), next.begin(), next.end());
        key.swap(next);
        first = false;
        // A full map that changes meanwhile may be walked in circles.
        if (contents->keys.size() / keySize > size_t(bpf_map__max_entries(map)) * 2) break;
    }
    std::vector<uint8_t> keys = std::move(contents->keys);
    contents->keys.clear();
    for (size_t at = 0; at + keySize <= keys.size(); at += keySize) {
        int failed = bpf_map_lookup_elem(fd, keys.data() + at, value.data());
        if (failed) continue;  // gone meanwhile
        if (drain && bpf_map_delete_elem(fd, keys.data() + at) != 0 && errno == ENOENT) continue;
        contents->keys.insert(contents->keys.end(), keys.data() + at, keys.data() + at + keySize);
        contents->values.insert(contents->values.end(), value.begin(), value.end());
        contents->count++;
    }
}

void zero(const bpf_map *map, const MapContents &contents) {
    std::vector<uint8_t> nothing(storedValueSize(map));
    for (size_t i = 0; i < contents.count; i++)
        bpf_map_update_elem(bpf_map__fd(map), contents.keys.data() + i * bpf_map__key_size(map),
                            nothing.data(), BPF_ANY);
}

}  // namespace

bool isPerCpu(const bpf_map *map) {
    bpf_map_type type = bpf_map__type(map);
    return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
           type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

size_t possibleCpus() {
    static const size_t count = size_t(std::max(1, libbpf_num_possible_cpus()));
    return count;
}

size_t storedValueSize(const bpf_map *map) {
    size_t size = bpf_map__value_size(map);
    return isPerCpu(map) ? (size + 7) / 8 * 8 * possibleCpus() : size;
}

MapContents readMap(const bpf_map *map, bool drain) {
    MapContents contents;
    bool array = isArray(bpf_map__type(map));
    if (!readBatches(map, drain && !array, &contents)) {
        contents = {};
        readSingly(map, drain && !array, &contents);
    }
    if (drain && array) zero(map, contents);
    contents.keys.resize(contents.count * bpf_map__key_size(map));
    contents.values.resize(contents.count * storedValueSize(map));
    return contents;
}
