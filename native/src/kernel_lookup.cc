// openKernelTypes and KernelTypes (native/api.ts): what the kernel's BTF says of a struct, a function, an
// enumerator.

#include "kernel_lookup.h"

#include "arguments.h"
#include "btf.h"

namespace {

constexpr int deepest = 32;

/// A struct without a name is told by its id: "struct #1234".
std::string compositeName(const KernelBtf &kernel, uint32_t id) {
    const btf_type *type = kernel.type(id);
    const char *tag = btf_is_union(type) || (btf_is_fwd(type) && btf_kflag(type)) ? "union " : "struct ";
    const char *name = kernel.name(type);
    return tag + (*name ? std::string(name) : "#" + std::to_string(id));
}

/// Through typedefs and qualifiers, forward declarations included.
uint32_t plain(const KernelBtf &kernel, uint32_t id) {
    for (int depth = 0; depth < deepest; depth++) {
        const btf_type *type = kernel.type(id);
        if (!type || (!btf_is_mod(type) && !btf_is_typedef(type) && btf_kind(type) != BTF_KIND_TYPE_TAG))
            return id;
        id = type->type;
    }
    return 0;
}

/// As native/api.ts KernelType.
Napi::Value typeValue(Napi::Env env, const KernelBtf &kernel, uint32_t id, int depth = 0) {
    Napi::Object value = Napi::Object::New(env);
    id = depth > deepest ? 0 : plain(kernel, id);
    const btf_type *type = kernel.type(id);
    auto kind = [&](const char *word) { value.Set("kind", word); };
    if (id == 0 || !type) {
        kind("void");
    } else if (btf_is_int(type)) {
        bool isBool = btf_int_encoding(type) & BTF_INT_BOOL;
        kind(isBool ? "boolean" : "integer");
        if (isBool) return value;
        value.Set("bits", type->size * 8);
        value.Set("signed", Napi::Boolean::New(env, btf_int_encoding(type) & BTF_INT_SIGNED));
        if (btfIsChar(kernel.types(), id)) value.Set("character", true);
    } else if (btf_is_any_enum(type)) {
        kind("integer");
        value.Set("bits", type->size * 8);
        value.Set("signed", Napi::Boolean::New(env, btf_kflag(type)));
        if (*kernel.name(type)) value.Set("enum", kernel.name(type));
    } else if (btf_is_ptr(type)) {
        kind("pointer");
        value.Set("to", typeValue(env, kernel, type->type, depth + 1));
    } else if (btf_is_composite(type) || btf_is_fwd(type)) {
        kind("struct");
        value.Set("name", compositeName(kernel, id));
    } else if (btf_is_array(type)) {
        kind("array");
        value.Set("of", typeValue(env, kernel, btf_array(type)->type, depth + 1));
        value.Set("length", btf_array(type)->nelems);
    } else if (btf_is_func_proto(type)) {
        kind("function");
    } else if (btf_is_float(type)) {
        kind("float");
        value.Set("bits", type->size * 8);
    } else {
        kind("void");
    }
    return value;
}

/// Members of nameless structs and unions inside count as the outer one's, as in C.
void addMembers(Napi::Env env, const KernelBtf &kernel, const btf_type *type, uint32_t base, Napi::Array list,
                int depth) {
    const btf_member *member = btf_members(type);
    for (int i = 0; i < btf_vlen(type) && depth < deepest; i++, member++) {
        uint32_t offset = base + btf_member_bit_offset(type, i);
        const char *name = btf__name_by_offset(kernel.types(), member->name_off);
        uint32_t inner = plain(kernel, member->type);
        if (!name || !*name) {
            if (btf_is_composite(kernel.type(inner)))
                addMembers(env, kernel, kernel.type(inner), offset, list, depth + 1);
            continue;
        }
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("name", name);
        entry.Set("type", typeValue(env, kernel, member->type));
        entry.Set("offset", offset);
        if (uint32_t bits = btf_member_bitfield_size(type, i)) entry.Set("bits", bits);
        list.Set(list.Length(), entry);
    }
}

/// The id of "struct x", "union x", "struct #id", or of a typedef of one; 0 where there is none.
uint32_t compositeId(const KernelBtf &kernel, const std::string &name) {
    std::string own = name;
    uint32_t kind = 0;
    for (auto [tag, is] : {std::pair{"struct ", BTF_KIND_STRUCT}, std::pair{"union ", BTF_KIND_UNION}})
        if (own.starts_with(tag)) {
            own = own.substr(strlen(tag));
            kind = uint32_t(is);
        }
    uint32_t id = 0;
    if (own.starts_with("#"))
        id = uint32_t(strtoul(own.c_str() + 1, nullptr, 10));
    else if (kind)
        id = kernel.find(own, kind);
    else if (!(id = plain(kernel, kernel.find(own, BTF_KIND_TYPEDEF))) &&
             !(id = kernel.find(own, BTF_KIND_STRUCT)))
        id = kernel.find(own, BTF_KIND_UNION);
    const btf_type *type = id ? kernel.type(id) : nullptr;
    return type && btf_is_composite(type) ? id : 0;
}

/// { name, parameters, returns } of a prototype. skip: parameters that are the kernel's own. names: a
/// prototype with the same parameters that has names for them, or null.
Napi::Value prototypeValue(Napi::Env env, const KernelBtf &kernel, const btf_type *prototype, int skip,
                           const btf_type *names) {
    Napi::Object value = Napi::Object::New(env);
    Napi::Array list = Napi::Array::New(env);
    const btf_param *parameters = btf_params(prototype);
    bool named = names && btf_vlen(names) == btf_vlen(prototype);
    for (int i = skip; i < btf_vlen(prototype); i++) {
        const btf_param &from = named ? btf_params(names)[i] : parameters[i];
        const char *name = btf__name_by_offset(kernel.types(), from.name_off);
        // The last of a function with any number of parameters.
        if (parameters[i].type == 0) break;
        Napi::Object entry = Napi::Object::New(env);
        entry.Set("name", name && *name ? std::string(name) : "arg" + std::to_string(i - skip));
        entry.Set("type", typeValue(env, kernel, parameters[i].type));
        list.Set(list.Length(), entry);
    }
    value.Set("parameters", list);
    value.Set("returns", typeValue(env, kernel, prototype->type));
    return value;
}

const btf_type *functionPrototype(const KernelBtf &kernel, const std::string &name) {
    uint32_t id = kernel.find(name, BTF_KIND_FUNC);
    const btf_type *prototype = id ? kernel.type(kernel.type(id)->type) : nullptr;
    return prototype && btf_is_func_proto(prototype) ? prototype : nullptr;
}

constexpr std::string_view tracepointPrefix = "btf_trace_";

Napi::Value enumValue(Napi::Env env, const btf_type *type, int64_t value) {
    if (btf_kflag(type) || !btf_is_enum64(type)) return Napi::BigInt::New(env, value);
    return Napi::BigInt::New(env, uint64_t(value));
}

template <typename Visit>
void forEachEnumerator(const KernelBtf &kernel, const btf_type *type, Visit visit) {
    for (int i = 0; i < btf_vlen(type); i++) {
        uint32_t name;
        int64_t value;
        if (btf_is_enum64(type)) {
            name = btf_enum64(type)[i].name_off;
            value = int64_t(btf_enum64_value(&btf_enum64(type)[i]));
        } else {
            name = btf_enum(type)[i].name_off;
            value = btf_kflag(type) ? btf_enum(type)[i].val : int64_t(uint32_t(btf_enum(type)[i].val));
        }
        visit(btf__name_by_offset(kernel.types(), name), value);
    }
}

/// openKernelTypes(module?: string): KernelTypes
Napi::Value openKernelTypes(const Napi::CallbackInfo &info) {
    auto kernel = kernelBtf();
    uint32_t first = 1;
    if (!info[0].IsUndefined()) {
        first = btf__type_cnt(kernel->types());
        kernel = moduleBtf(textArgument(info[0], "module"));
    }
    Napi::Object object;
    KernelTypesHandle *handle = KernelTypesHandle::create(info.Env(), &object);
    handle->btf = std::move(kernel);
    handle->first = first;
    return object;
}

}  // namespace

void KernelTypesHandle::define(Napi::Env env) {
    Handle::define(env, {
                            method<&KernelTypesHandle::layout>("layout"),
                            method<&KernelTypesHandle::named>("named"),
                            method<&KernelTypesHandle::function>("function"),
                            method<&KernelTypesHandle::tracepoint>("tracepoint"),
                            method<&KernelTypesHandle::functions>("functions"),
                            method<&KernelTypesHandle::tracepoints>("tracepoints"),
                            method<&KernelTypesHandle::enumerator>("enumerator"),
                            method<&KernelTypesHandle::enumerators>("enumerators"),
                            method<&KernelTypesHandle::close>("close"),
                        });
}

const KernelBtf &KernelTypesHandle::open() const {
    if (!btf) throw Failure(Code::Closed, "the kernel's types were closed");
    return *btf;
}

/// layout(name: string): KernelLayout | undefined
Napi::Value KernelTypesHandle::layout(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    const KernelBtf &kernel = open();
    uint32_t id = compositeId(kernel, textArgument(info[0], "name"));
    if (!id) return env.Undefined();
    const btf_type *type = kernel.type(id);
    Napi::Object value = Napi::Object::New(env);
    Napi::Array members = Napi::Array::New(env);
    addMembers(env, kernel, type, 0, members, 0);
    value.Set("name", compositeName(kernel, id));
    value.Set("size", type->size);
    value.Set("members", members);
    return value;
}

/// named(name: string): KernelType | undefined
Napi::Value KernelTypesHandle::named(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    std::string name = textArgument(info[0], "name");
    uint32_t id = 0;
    if (name.starts_with("enum "))
        id = kernel.find(name.substr(5), BTF_KIND_ENUM);
    else if (!(id = kernel.find(name, BTF_KIND_TYPEDEF)) && !(id = kernel.find(name, BTF_KIND_INT)))
        id = compositeId(kernel, name);
    return id ? typeValue(info.Env(), kernel, id) : info.Env().Undefined();
}

/// function(name: string): KernelPrototype | undefined
Napi::Value KernelTypesHandle::function(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    const btf_type *prototype = functionPrototype(kernel, textArgument(info[0], "name"));
    if (!prototype) return info.Env().Undefined();
    return prototypeValue(info.Env(), kernel, prototype, 0, nullptr);
}

/// tracepoint(name: string): KernelPrototype | undefined
Napi::Value KernelTypesHandle::tracepoint(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    std::string name = textArgument(info[0], "name");
    uint32_t id = kernel.find(std::string(tracepointPrefix) + name, BTF_KIND_TYPEDEF);
    const btf_type *pointer = id ? kernel.type(kernel.type(id)->type) : nullptr;
    const btf_type *prototype = pointer && btf_is_ptr(pointer) ? kernel.type(pointer->type) : nullptr;
    if (!prototype || !btf_is_func_proto(prototype)) return info.Env().Undefined();
    // A pointer's prototype has no names; the functions that call it do, the one or the other by the kernel's
    // version.
    const btf_type *names = functionPrototype(kernel, "__probestub_" + name);
    if (!names) names = functionPrototype(kernel, "__traceiter_" + name);
    if (!names) names = functionPrototype(kernel, "__bpf_trace_" + name);
    return prototypeValue(info.Env(), kernel, prototype, 1, names);
}

/// functions(): string[]
Napi::Value KernelTypesHandle::functions(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    Napi::Array list = Napi::Array::New(info.Env());
    for (uint32_t id = first; id < btf__type_cnt(kernel.types()); id++) {
        const btf_type *type = kernel.type(id);
        if (btf_is_func(type)) list.Set(list.Length(), kernel.name(type));
    }
    return list;
}

/// tracepoints(): string[]
Napi::Value KernelTypesHandle::tracepoints(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    Napi::Array list = Napi::Array::New(info.Env());
    for (uint32_t id = first; id < btf__type_cnt(kernel.types()); id++) {
        const btf_type *type = kernel.type(id);
        if (!btf_is_typedef(type)) continue;
        std::string_view name = kernel.name(type);
        if (name.starts_with(tracepointPrefix))
            list.Set(list.Length(), std::string(name.substr(tracepointPrefix.size())));
    }
    return list;
}

/// enumerator(name: string): { value: bigint; enum: string } | undefined
Napi::Value KernelTypesHandle::enumerator(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    if (enumerators_.empty())
        for (uint32_t id = first; id < btf__type_cnt(kernel.types()); id++) {
            const btf_type *type = kernel.type(id);
            if (!btf_is_any_enum(type)) continue;
            forEachEnumerator(kernel, type, [&](const char *name, int64_t value) {
                if (name) enumerators_.try_emplace(name, Enumerator{id, value});
            });
        }
    auto found = enumerators_.find(textArgument(info[0], "name"));
    if (found == enumerators_.end()) return info.Env().Undefined();
    const btf_type *type = kernel.type(found->second.enumeration);
    Napi::Object value = Napi::Object::New(info.Env());
    value.Set("value", enumValue(info.Env(), type, found->second.value));
    value.Set("enum", kernel.name(type));
    return value;
}

/// enumerators(name: string): { name: string; value: bigint }[] | undefined
Napi::Value KernelTypesHandle::enumerators(const Napi::CallbackInfo &info) {
    const KernelBtf &kernel = open();
    uint32_t id = kernel.find(textArgument(info[0], "enum"), BTF_KIND_ENUM);
    if (!id) return info.Env().Undefined();
    Napi::Array list = Napi::Array::New(info.Env());
    const btf_type *type = kernel.type(id);
    forEachEnumerator(kernel, type, [&](const char *name, int64_t value) {
        Napi::Object entry = Napi::Object::New(info.Env());
        entry.Set("name", name ? name : "");
        entry.Set("value", enumValue(info.Env(), type, value));
        list.Set(list.Length(), entry);
    });
    return list;
}

/// close(): void
Napi::Value KernelTypesHandle::close(const Napi::CallbackInfo &info) {
    btf.reset();
    enumerators_.clear();
    return info.Env().Undefined();
}

void addKernelLookup(Napi::Env env, Napi::Object exports) {
    KernelTypesHandle::define(env);
    addFunction(exports, "openKernelTypes", openKernelTypes);
}
