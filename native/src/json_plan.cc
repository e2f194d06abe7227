// Reads a batch and its JsonFields (native/api.ts) into plain structs, before the worker starts. See json.h.

#include <cstring>

#include "arguments.h"
#include "json.h"

namespace {

using As = JsonPlanField::As;
using Kind = JsonColumn::Kind;

std::string quoted(const std::string &text) {
    JsonText out;
    writeEscaped(out, reinterpret_cast<const uint8_t *>(text.data()), text.size());
    size_t size = out.size();
    return std::string(out.room(0) - size, size);
}

const uint8_t *memoryOf(JsonPlan &plan, const Napi::Value &value, const std::string &what, size_t *size,
                        napi_typedarray_type *type) {
    if (!value.IsTypedArray()) throw Failure(Code::InvalidArgument, what + " must be a typed array");
    Napi::TypedArray array = value.As<Napi::TypedArray>();
    plan.kept.push_back(Napi::Persistent(array.As<Napi::Object>()));
    *size = array.ByteLength();
    *type = array.TypedArrayType();
    return static_cast<const uint8_t *>(array.ArrayBuffer().Data()) + array.ByteOffset();
}

struct Planner {
    JsonPlan &plan;
    Napi::Object columns;

    const JsonColumn *column(const std::string &name) {
        std::unique_ptr<JsonColumn> &column = plan.columns[name];
        if (column) return column.get();
        if (!columns.Has(name)) throw Failure(Code::NotFound, "the batch has no column " + name);
        Napi::Object source = objectArgument(columns.Get(name), "column " + name);
        std::string kind = textArgument(source.Get("kind"), "kind of column " + name);
        column = std::make_unique<JsonColumn>();
        napi_typedarray_type type;
        size_t size;
        if (kind == "text") {
            column->kind = Kind::Text;
            column->data = memoryOf(plan, source.Get("bytes"), "bytes of " + name, &column->size, &type);
            const uint8_t *offsets =
                memoryOf(plan, source.Get("offsets"), "offsets of " + name, &size, &type);
            if (type != napi_uint32_array || size < (plan.rows + 1) * 4)
                throw Failure(Code::InvalidArgument, "column " + name + " needs rows + 1 offsets of 32 bits");
            column->offsets = reinterpret_cast<const uint32_t *>(offsets);
        } else if (kind == "bytes") {
            column->kind = Kind::Bytes;
            column->width = uint32_t(integerArgument(source.Get("width"), "width of " + name, 1, 1 << 20));
            column->data = memoryOf(plan, source.Get("bytes"), "bytes of " + name, &column->size, &type);
        } else {
            Napi::Value values = source.Get("values");
            column->kind = kind == "signed" ? Kind::Signed : Kind::Unsigned;
            column->data = memoryOf(plan, values, "values of " + name, &column->size, &type);
            column->width = uint32_t(values.As<Napi::TypedArray>().ElementSize());
        }
        if (column->kind != Kind::Text && column->size < plan.rows * column->width)
            throw Failure(Code::InvalidArgument,
                          "column " + name + " has fewer values than the batch has rows");
        return column.get();
    }

    const JsonColumn *number(const std::string &name) {
        const JsonColumn *found = column(name);
        if (found->kind != Kind::Unsigned && found->kind != Kind::Signed)
            throw Failure(Code::InvalidArgument, "column " + name + " must hold numbers");
        return found;
    }

    void table(JsonPlanField &field, const Napi::Value &map) {
        Napi::Env env = map.Env();
        Napi::Object arrayClass = env.Global().Get("Array").As<Napi::Object>();
        Napi::Value list = arrayClass.Get("from").As<Napi::Function>().Call(arrayClass, {map});
        if (!list.IsArray()) throw Failure(Code::InvalidArgument, "values must be a Map");
        Napi::Array entries = list.As<Napi::Array>();
        for (uint32_t i = 0; i < entries.Length(); i++) {
            Napi::HandleScope scope(env);
            Napi::Object entry = objectArgument(entries.Get(i), "an entry of values");
            Napi::Value key = entry.Get(uint32_t(0));
            if (!key.IsBigInt()) throw Failure(Code::InvalidArgument, "keys of values must be bigint");
            bool exact;
            uint64_t word =
                key.As<Napi::BigInt>().Uint64Value(&exact);  // the low 64 bits, of a negative one too
            field.values[word] = entry.Get(uint32_t(1)).ToString().Utf8Value();
        }
    }

    void field(const Napi::Object &source, std::vector<const JsonColumn *> conditions) {
        if (source.Has("when")) {
            if (conditions.size() > 8) throw Failure(Code::InvalidArgument, "fields are nested too deep");
            conditions.push_back(number(textArgument(source.Get("when"), "when")));
            return field(objectArgument(source.Get("field"), "field"), conditions);
        }
        JsonPlanField made;
        made.conditions = std::move(conditions);
        std::string as = textArgument(source.Get("as"), "as"),
                    name = textArgument(source.Get("column"), "column");
        if (as != "members") {
            std::string own = quoted(textArgument(source.Get("name"), "name"));
            made.key = "\"" + own + "\":";
            made.bytesKey = "\"" + own + "_bytes\":\"";
        }
        made.column = column(name);
        Kind kind = made.column->kind;
        if (as == "text" || as == "list" || as == "base64") {
            made.as = as == "text" ? As::Text : as == "list" ? As::List : As::Base64;
            if (kind != Kind::Text)
                throw Failure(Code::InvalidArgument, "column " + name + " must hold text");
        } else if (as == "ipAddress") {
            made.as = As::IpAddress;
            if (kind != Kind::Bytes || (made.column->width != 16 && made.column->width != 4))
                throw Failure(Code::InvalidArgument,
                              "column " + name + " must hold addresses of 4 or 16 bytes");
        } else {
            number(name);
            if (as == "integer")
                made.as = As::Integer;
            else if (as == "boolean")
                made.as = As::Boolean;
            else if (as == "time")
                made.as = As::Time;
            else if (as == "lookup")
                made.as = As::Lookup;
            else if (as == "members")
                made.as = As::Members;
            else
                throw Failure(Code::InvalidArgument, "no way to write a column is called " + as);
        }
        if (made.as == As::Time) {
            if (!source.Get("offset").IsBigInt())
                throw Failure(Code::InvalidArgument, "offset must be a bigint");
            bool exact;
            made.offset = uint64_t(source.Get("offset").As<Napi::BigInt>().Int64Value(&exact));
        }
        if (made.as == As::Lookup || made.as == As::Members) table(made, source.Get("values"));
        made.otherwiseInteger = made.as == As::Lookup && source.Get("otherwise").IsString();
        plan.fields.push_back(std::move(made));
    }
};

}  // namespace

std::unique_ptr<JsonPlan> planJson(Napi::Object batch, Napi::Array fields) {
    auto plan = std::make_unique<JsonPlan>();
    plan->rows = size_t(integerArgument(batch.Get("rows"), "rows", 0, 1 << 26));
    Planner planner{*plan, objectArgument(batch.Get("columns"), "columns")};
    for (uint32_t i = 0; i < fields.Length(); i++)
        planner.field(objectArgument(fields.Get(i), "a field"), {});
    return plan;
}
