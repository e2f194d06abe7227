// JavaScript values into the bytes that BTF describes; see btf.h. A Uint8Array of the right length stands for
// any type.

#include <cstring>

#include "btf.h"
#include "errors.h"

namespace {

[[noreturn]] void refuse(const std::string &what, const std::string &why) {
    throw Failure(Code::InvalidArgument, what + ": " + why);
}

/// The value as 64 bits, checked against the width.
uint64_t integer(const Napi::Value &value, unsigned bits, bool isSigned, const std::string &what) {
    bool fits = false;
    uint64_t raw = 0;
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
    if (value.IsNumber()) {
        double number = value.As<Napi::Number>().DoubleValue();
        if (number < -9223372036854775808.0 || number >= 18446744073709551616.0 || number != number)
            refuse(what, "the number is out of range");
        raw = number < 0 ? uint64_t(int64_t(number)) : uint64_t(number);
        fits = number < 0 ? double(int64_t(raw)) == number : double(raw) == number;
        if (!fits) refuse(what, "expected a whole number");
        if (number >= 0 && isSigned && raw >> 63) refuse(what, "the number is out of range");
        if (number < 0 && !isSigned) refuse(what, "the number may not be negative");
    } else if (value.IsBigInt()) {
        Napi::BigInt big = value.As<Napi::BigInt>();
        raw = isSigned ? uint64_t(big.Int64Value(&fits)) : big.Uint64Value(&fits);
        if (!fits) refuse(what, "the number is out of range");
    } else {
        refuse(what, "expected a number, bigint or boolean");
    }
    if (bits < 64) {
        int64_t value64 = int64_t(raw);
        if (isSigned ? value64 < -(int64_t(1) << (bits - 1)) || value64 >= int64_t(1) << (bits - 1)
                     : raw >> bits)
            refuse(what, "the number does not fit " + std::to_string(bits) + " bits");
    }
    return raw;
}

const btf_member *findMember(const btf *types, const btf_type *type, const std::string &name, size_t base,
                             size_t *bit, uint32_t *width, int depth) {
    const btf_member *member = btf_members(type);
    for (int i = 0; i < btf_vlen(type); i++, member++) {
        const char *own = btf__name_by_offset(types, member->name_off);
        size_t at = base + btf_member_bit_offset(type, i);
        if (own && name == own) {
            *bit = at;
            *width = btf_member_bitfield_size(type, i);
            return member;
        }
        if ((own && *own) || depth > 8) continue;
        const btf_type *inner = btf__type_by_id(types, btfPlain(types, member->type));
        if (!btf_is_composite(inner)) continue;
        if (const btf_member *found = findMember(types, inner, name, at, bit, width, depth + 1)) return found;
    }
    return nullptr;
}

void encodeStruct(const btf *types, uint32_t id, const Napi::Value &value, uint8_t *bytes, size_t size,
                  const std::string &what) {
    const btf_type *type = btf__type_by_id(types, id);
    if (!value.IsObject() || value.IsArray()) refuse(what, "expected an object with the struct's members");
    Napi::Object object = value.As<Napi::Object>();
    Napi::Array names = object.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); i++) {
        std::string name = names.Get(i).ToString().Utf8Value();
        size_t bit = 0;
        uint32_t width = 0;
        const btf_member *member = findMember(types, type, name, 0, &bit, &width, 0);
        if (!member) refuse(what, "struct " + btfName(types, id) + " has no member " + name);
        std::string path = what + "." + name;
        if (!width) {
            if (bit / 8 > size) refuse(path, "lies outside its struct");
            btfEncode(types, member->type, object.Get(name), bytes + bit / 8, size - bit / 8, path);
            continue;
        }
        const btf_type *plain = btf__type_by_id(types, btfPlain(types, member->type));
        bool isSigned = btf_is_int(plain) && (btf_int_encoding(plain) & BTF_INT_SIGNED);
        uint64_t raw = integer(object.Get(name), width, isSigned, path);
        for (uint32_t k = 0; k < width; k++) {
            size_t at = bit + k;
            if (at / 8 >= size) refuse(path, "lies outside its struct");
            bytes[at / 8] = (bytes[at / 8] & ~(1 << at % 8)) | (((raw >> k) & 1) << at % 8);
        }
    }
}

void encodeArray(const btf *types, uint32_t id, const Napi::Value &value, uint8_t *bytes, size_t size,
                 const std::string &what) {
    const struct btf_array *array = btf_array(btf__type_by_id(types, id));
    size_t width = btfSize(types, array->type);
    if (value.IsString() && btfIsChar(types, array->type)) {
        std::string text = value.As<Napi::String>().Utf8Value();
        if (text.size() > size)
            refuse(what, "the text has " + std::to_string(text.size()) + " bytes, at most " +
                             std::to_string(size) + " fit");
        memcpy(bytes, text.data(), text.size());
        return;
    }
    if (!value.IsArray()) refuse(what, "expected an array");
    Napi::Array list = value.As<Napi::Array>();
    if (list.Length() > array->nelems)
        refuse(what, "at most " + std::to_string(array->nelems) + " elements fit");
    for (uint32_t i = 0; i < list.Length(); i++)
        btfEncode(types, array->type, list.Get(i), bytes + i * width, width,
                  what + "[" + std::to_string(i) + "]");
}

}  // namespace

void btfEncode(const btf *types, uint32_t id, const Napi::Value &value, uint8_t *bytes, size_t size,
               const std::string &what) {
    id = btfPlain(types, id);
    const btf_type *type = btf__type_by_id(types, id);
    size_t need = btfSize(types, id);
    if (need > size) throw Failure(Code::InvalidObject, what + ": its BTF type does not fit its bytes");
    memset(bytes, 0, need);
    if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
        Napi::Uint8Array raw = value.As<Napi::Uint8Array>();
        if (raw.ByteLength() != need)
            refuse(what,
                   "expected " + std::to_string(need) + " bytes, not " + std::to_string(raw.ByteLength()));
        if (need) memcpy(bytes, raw.Data(), need);
        return;
    }
    switch (btf_kind(type)) {
        case BTF_KIND_INT:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
        case BTF_KIND_PTR: {
            bool isSigned = btf_is_int(type)   ? btf_int_encoding(type) & BTF_INT_SIGNED
                            : btf_is_ptr(type) ? false
                                               : btf_kflag(type);
            bool isBoolean = btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL);
            if (need > 8) refuse(what, "expected a Uint8Array of " + std::to_string(need) + " bytes");
            uint64_t raw = integer(value, isBoolean ? 1 : need * 8, isSigned, what);
            memcpy(bytes, &raw, need);
            return;
        }
        case BTF_KIND_STRUCT:
            return encodeStruct(types, id, value, bytes, need, what);
        case BTF_KIND_ARRAY:
            return encodeArray(types, id, value, bytes, need, what);
        default:
            refuse(what, "expected a Uint8Array of " + std::to_string(need) + " bytes");
    }
}
