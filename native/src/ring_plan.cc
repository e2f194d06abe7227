// Makes the plan of a ring's columns; see ring_plan.h.

#include "ring_plan.h"

#include <algorithm>

#include "btf.h"
#include "errors.h"

namespace {

using Kind = RingColumn::Kind;

/// Far beyond any record; sums of offsets and widths below it fit 32 bits.
constexpr uint32_t largest = 1 << 24;

struct Planner {
    const btf *types;
    bool second;
    std::vector<RingColumn> columns;

    const btf_type *plain(uint32_t id) const { return btf__type_by_id(types, btfPlain(types, id)); }

    void structure(const btf_type *type, uint32_t base, const std::string &prefix, int depth) {
        if (depth > 8) throw Failure(Code::InvalidObject, "a ring's record is nested too deep");
        const btf_member *member = btf_members(type);
        for (int i = 0; i < btf_vlen(type); i++, member++) {
            const char *own = btf__name_by_offset(types, member->name_off);
            std::string name = own ? own : "";
            uint32_t offset = base + btf_member_bit_offset(type, i) / 8;
            if (offset > largest) throw Failure(Code::InvalidObject, "a ring's record is too large");
            const btf_type *inner = plain(member->type);
            if (name.empty()) {
                if (btf_is_struct(inner)) structure(inner, offset, prefix, depth + 1);
                continue;
            }
            // Variable text lies there; it is read through the members that point to it.
            if (name == "tail" && btf_is_array(inner)) continue;
            if (name == "reserved") continue;
            if (btf_member_bitfield_size(type, i))
                throw Failure(Code::InvalidObject,
                              "member " + prefix + name + " is a bit field: a ring's record can't have one");
            value(member->type, offset, prefix + name, depth);
        }
    }

    void value(uint32_t id, uint32_t offset, const std::string &name, int depth) {
        const btf_type *type = plain(id);
        uint64_t wide = btfSize(types, id);
        if (offset > largest || wide > largest)
            throw Failure(Code::InvalidObject, "member " + name + " makes a ring's record too large");
        uint32_t size = uint32_t(wide);
        if (btf_is_struct(type)) {
            if (btfName(types, btfPlain(types, id)) == "text" && size == 4)
                return add(name, Kind::TailText, offset, size);
            return structure(type, offset, name + "_", depth + 1);
        }
        if (btf_is_array(type) && btfIsChar(types, btf_array(type)->type))
            return add(name, Kind::CharText, offset, size);
        bool scalar = btf_is_int(type) || btf_is_any_enum(type) || btf_is_ptr(type);
        if (!scalar || size > 8) return add(name, Kind::Bytes, offset, size);
        bool isSigned = btf_is_int(type) ? btf_int_encoding(type) & BTF_INT_SIGNED
                                         : btf_is_any_enum(type) && btf_kflag(type);
        add(name, isSigned ? Kind::Signed : Kind::Unsigned, offset, size);
    }

    void add(const std::string &name, Kind kind, uint32_t offset, uint32_t width) {
        columns.push_back({name, kind, offset, width, second});
    }

    const RingColumn *find(const std::string &name) const {
        for (const RingColumn &column : columns)
            if (column.name == name) return &column;
        return nullptr;
    }
    const RingColumn &header(const std::string &name, uint32_t width, const std::string &record) const {
        const RingColumn *found = find(name);
        if (!found || found->kind != Kind::Unsigned || (width && found->width != width))
            throw Failure(Code::InvalidObject,
                          "struct " + record + " needs an unsigned member " + name +
                              (width ? " of " + std::to_string(width * 8) + " bits" : ""));
        return *found;
    }
};

Planner planStruct(const btf *types, const std::string &name, bool second) {
    int32_t id = types ? btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT) : -1;
    if (id <= 0) throw Failure(Code::NotFound, "the object's BTF has no struct " + name);
    Planner planner{types, second, {}};
    planner.structure(btf__type_by_id(types, uint32_t(id)), 0, "", 0);
    return planner;
}

uint32_t sizeOf(const Planner &planner) {
    uint32_t size = 0;
    for (const RingColumn &column : planner.columns) size = std::max(size, column.offset + column.width);
    return size;
}

}  // namespace

RingPlan planRing(const btf *types, const std::string &record, const std::string &completion) {
    Planner first = planStruct(types, record, false);
    RingPlan plan;
    plan.timeOffset = first.header("time", 8, record).offset;
    plan.fixedSize = sizeOf(first);
    plan.columns = first.columns;
    if (completion.empty()) return plan;

    Planner second = planStruct(types, completion, true);
    plan.completes = true;
    plan.secondSize = sizeOf(second);
    plan.kindOffset = first.header("kind", 0, record).offset;
    plan.kindWidth = first.header("kind", 0, record).width;
    plan.idOffset = first.header("id", 8, record).offset;
    plan.secondIdOffset = second.header("id", 8, completion).offset;
    const RingColumn &kind = second.header("kind", plan.kindWidth, completion);
    if (kind.offset != plan.kindOffset)
        throw Failure(Code::InvalidObject, "structs " + record + " and " + completion + " begin differently");
    for (const RingColumn &column : second.columns)
        if (!first.find(column.name)) plan.columns.push_back(column);
    plan.columns.push_back({"completed", Kind::Completed, 0, 1, false});
    return plan;
}
