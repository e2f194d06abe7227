// BTF-described values; see btf.h.

#include "btf.h"

#include <algorithm>
#include <cstring>

#include "errors.h"

namespace {

constexpr int deepest = 32;  // the kernel's own limit for nesting

const btf_type *typeOf(const btf *types, uint32_t id) {
    const btf_type *type = btf__type_by_id(types, id);
    if (!type) throw Failure(Code::InvalidObject, "the object's BTF has no type " + std::to_string(id));
    return type;
}

uint64_t readInteger(const uint8_t *bytes, size_t size) {
    uint64_t value = 0;
    memcpy(&value, bytes, std::min(size, sizeof value));
    return value;
}

Napi::Value integerValue(Napi::Env env, uint64_t value, unsigned bits, bool isSigned) {
    if (bits < 64) {
        value &= (uint64_t(1) << bits) - 1;
        if (isSigned && bits > 0 && (value >> (bits - 1)) & 1) value |= ~uint64_t(0) << bits;
    }
    if (bits <= 32) return Napi::Number::New(env, isSigned ? double(int64_t(value)) : double(value));
    if (isSigned) return Napi::BigInt::New(env, int64_t(value));
    return Napi::BigInt::New(env, value);
}

Napi::Value bytesValue(Napi::Env env, const uint8_t *bytes, size_t size) {
    Napi::Uint8Array copy = Napi::Uint8Array::New(env, size);
    if (size) memcpy(copy.Data(), bytes, size);
    return copy;
}

bool signedType(const btf_type *type) {
    if (btf_is_int(type)) return btf_int_encoding(type) & BTF_INT_SIGNED;
    return (btf_is_enum(type) || btf_is_enum64(type)) && btf_kflag(type);
}

struct Decoder {
    Napi::Env env;
    const btf *types;

    Napi::Value value(uint32_t id, const uint8_t *bytes, size_t size, int depth) const {
        id = btfPlain(types, id);
        const btf_type *type = typeOf(types, id);
        size_t need = btfSize(types, id);
        if (need > size || depth > deepest)
            throw Failure(Code::InvalidObject, "BTF type " + btfName(types, id) + " does not fit its bytes");
        switch (btf_kind(type)) {
            case BTF_KIND_INT:
                if (btf_int_encoding(type) & BTF_INT_BOOL)
                    return Napi::Boolean::New(env, readInteger(bytes, need) != 0);
                if (need > 8) return bytesValue(env, bytes, need);
                return integerValue(env, readInteger(bytes, need), need * 8, signedType(type));
            case BTF_KIND_ENUM:
            case BTF_KIND_ENUM64:
                return integerValue(env, readInteger(bytes, need), need * 8, signedType(type));
            case BTF_KIND_PTR:
                return Napi::BigInt::New(env, readInteger(bytes, need));
            case BTF_KIND_ARRAY:
                return array(type, bytes, need, depth);
            case BTF_KIND_STRUCT: {
                Napi::Object object = Napi::Object::New(env);
                members(object, type, bytes, need, depth);
                return object;
            }
            default:
                return bytesValue(env, bytes, need);
        }
    }

    Napi::Value array(const btf_type *type, const uint8_t *bytes, size_t size, int depth) const {
        const struct btf_array *shape = btf_array(type);
        uint32_t element = btfPlain(types, shape->type);
        if (btfIsChar(types, element)) {
            size_t length = strnlen(reinterpret_cast<const char *>(bytes), size);
            return Napi::String::New(env, reinterpret_cast<const char *>(bytes), length);
        }
        const btf_type *elementType = typeOf(types, element);
        size_t width = btfSize(types, element);
        if (btf_is_int(elementType) && width == 1) return bytesValue(env, bytes, size);
        Napi::Array list = Napi::Array::New(env, width ? shape->nelems : 0);
        for (uint32_t i = 0; width && i < shape->nelems; i++)
            list.Set(i, value(element, bytes + i * width, width, depth + 1));
        return list;
    }

    /// Members of nameless structs and unions inside count as the outer one's, as in C.
    void members(Napi::Object object, const btf_type *type, const uint8_t *bytes, size_t size,
                 int depth) const {
        if (depth > deepest) throw Failure(Code::InvalidObject, "BTF structs are nested too deep");
        const btf_member *member = btf_members(type);
        for (int i = 0; i < btf_vlen(type); i++, member++) {
            uint32_t bit = btf_member_bit_offset(type, i), width = btf_member_bitfield_size(type, i);
            uint32_t plain = btfPlain(types, member->type);
            const btf_type *memberType = typeOf(types, plain);
            if ((uint64_t(bit) + std::max(width, 1u) + 7) / 8 > size && btfSize(types, plain) > 0)
                throw Failure(Code::InvalidObject, "a BTF member lies outside its struct");
            const char *name = btf__name_by_offset(types, member->name_off);
            if (!name || !*name) {
                if (btf_is_composite(memberType))
                    members(object, memberType, bytes + bit / 8, size - bit / 8, depth + 1);
            } else if (width) {
                object.Set(name, bitfield(memberType, bytes, size, bit, width));
            } else {
                object.Set(name, value(plain, bytes + bit / 8, size - bit / 8, depth + 1));
            }
        }
    }

    Napi::Value bitfield(const btf_type *type, const uint8_t *bytes, size_t size, uint32_t bit,
                         uint32_t width) const {
        size_t first = bit / 8, last = std::min<size_t>(size, (bit + width + 7) / 8);
        if (width > 64 || last - first > 9)
            throw Failure(Code::InvalidObject, "a BTF bit field is wider than 64 bits");
        unsigned __int128 raw = 0;
        memcpy(&raw, bytes + first, last - first);
        uint64_t value = uint64_t(raw >> (bit % 8));
        if (btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL))
            return Napi::Boolean::New(env, (value & 1) != 0);
        return integerValue(env, value, width, signedType(type));
    }
};

}  // namespace

uint32_t btfPlain(const btf *types, uint32_t id) {
    for (int depth = 0; depth <= deepest; depth++) {
        const btf_type *type = typeOf(types, id);
        if (!btf_is_mod(type) && !btf_is_typedef(type) && btf_kind(type) != BTF_KIND_TYPE_TAG) return id;
        id = type->type;
    }
    throw Failure(Code::InvalidObject, "BTF typedefs run in a circle");
}

size_t btfSize(const btf *types, uint32_t id) {
    int64_t size = btf__resolve_size(types, id);
    if (size < 0) throw Failure(Code::InvalidObject, "BTF type " + btfName(types, id) + " has no size");
    return size_t(size);
}

std::string btfName(const btf *types, uint32_t id) {
    const btf_type *type = btf__type_by_id(types, id);
    const char *name = type ? btf__name_by_offset(types, type->name_off) : nullptr;
    return name && *name ? name : "#" + std::to_string(id);
}

bool btfIsChar(const btf *types, uint32_t id) {
    const btf_type *type = typeOf(types, btfPlain(types, id));
    if (!btf_is_int(type) || type->size != 1) return false;
    return (btf_int_encoding(type) & BTF_INT_CHAR) || btfName(types, btfPlain(types, id)) == "char";
}

Napi::Value btfDecode(Napi::Env env, const btf *types, uint32_t id, const uint8_t *bytes, size_t size) {
    return Decoder{env, types}.value(id, bytes, size, 0);
}

void btfAdd(const btf *types, uint32_t id, uint8_t *sum, const uint8_t *more, size_t size) {
    id = btfPlain(types, id);
    const btf_type *type = typeOf(types, id);
    size_t need = btfSize(types, id);
    if (need > size) throw Failure(Code::InvalidObject, "a BTF type does not fit its bytes");
    if (btf_is_struct(type)) {
        const btf_member *member = btf_members(type);
        for (int i = 0; i < btf_vlen(type); i++, member++) {
            size_t offset = btf_member_bit_offset(type, i) / 8;
            if (offset >= size || btf_member_bitfield_size(type, i)) continue;
            btfAdd(types, member->type, sum + offset, more + offset, size - offset);
        }
        return;
    }
    if (btf_is_array(type) && !btfIsChar(types, btf_array(type)->type)) {
        size_t width = btfSize(types, btf_array(type)->type);
        for (uint32_t i = 0; width && i < btf_array(type)->nelems; i++)
            btfAdd(types, btf_array(type)->type, sum + i * width, more + i * width, width);
        return;
    }
    if (btf_is_int(type) && need <= 8 && !(btf_int_encoding(type) & BTF_INT_BOOL)) {
        uint64_t total = readInteger(sum, need) + readInteger(more, need);
        memcpy(sum, &total, need);
        return;
    }
    if (std::all_of(sum, sum + need, [](uint8_t byte) { return byte == 0; })) memcpy(sum, more, need);
}
