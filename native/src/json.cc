// encodeJsonLines (native/api.ts): the rows of a batch as JSON lines, on a worker thread.

#include "json.h"

#include <algorithm>
#include <cstring>

#include "arguments.h"

namespace {

using As = JsonPlanField::As;

struct Part {
    const uint8_t *start;
    size_t size;
};

/// Offsets come from JavaScript: what lies outside the bytes is cut off.
Part textAt(const JsonColumn &column, size_t row) {
    size_t from = std::min<size_t>(column.offsets[row], column.size);
    size_t to = std::clamp<size_t>(column.offsets[row + 1], from, column.size);
    return {column.data + from, to - from};
}

bool writeText(JsonText &out, Part text) {
    out.put('"');
    bool valid = writeEscaped(out, text.start, text.size);
    out.put('"');
    return valid;
}

/// A NUL at the end ends the last part; it does not begin another.
bool writeList(JsonText &out, Part text) {
    bool valid = true;
    out.put('[');
    for (size_t from = 0; from < text.size;) {
        const void *nul = memchr(text.start + from, 0, text.size - from);
        size_t to = nul ? size_t(static_cast<const uint8_t *>(nul) - text.start) : text.size;
        if (from) out.put(',');
        valid = writeText(out, {text.start + from, to - from}) && valid;
        from = to + 1;
    }
    out.put(']');
    return valid;
}

class RowWriter {
  public:
    RowWriter(const JsonPlan &plan, JsonText &out) : out_(out), last_(plan.fields.size()) {}

    void field(const JsonPlanField &field, size_t index, size_t row) {
        for (const JsonColumn *condition : field.conditions)
            if (condition->integer(row) == 0) return;
        if (field.as == As::Lookup || field.as == As::Members) return lookup(field, index, row);
        begin(field);
        const JsonColumn &column = *field.column;
        switch (field.as) {
            case As::Text:
            case As::List: {
                Part text = textAt(column, row);
                if (field.as == As::Text ? writeText(out_, text) : writeList(out_, text)) return;
                out_.put(',');
                out_.put(field.bytesKey);
                writeBase64(out_, text.start, text.size);
                return out_.put('"');
            }
            case As::Time:
                out_.put('"');
                time_.write(out_, column.integer(row) + field.offset);
                return out_.put('"');
            case As::IpAddress:
                out_.put('"');
                writeIpAddress(out_, column.data + row * column.width, column.width);
                return out_.put('"');
            case As::Base64: {
                Part bytes = textAt(column, row);
                out_.put('"');
                writeBase64(out_, bytes.start, bytes.size);
                return out_.put('"');
            }
            case As::Boolean:
                return column.integer(row) ? out_.put("true", 4) : out_.put("false", 5);
            default:
                writeInteger(out_, column.integer(row), column.kind == JsonColumn::Kind::Signed);
        }
    }

    void startRow() {
        out_.put('{');
        empty_ = true;
    }

  private:
    void begin(const JsonPlanField &field) {
        if (!empty_) out_.put(',');
        empty_ = false;
        out_.put(field.key);
    }

    void lookup(const JsonPlanField &field, size_t index, size_t row) {
        uint64_t value = field.column->integer(row);
        // Rows in a row are often of the same container, call, error.
        Last &last = last_[index];
        if (!last.known || last.value != value) {
            auto found = field.values.find(value);
            last = {true, value, found == field.values.end() ? nullptr : &found->second};
        }
        if (last.text && last.text->empty()) return;
        if (last.text) {
            begin(field);
            return out_.put(*last.text);
        }
        if (!field.otherwiseInteger) return;
        begin(field);
        writeInteger(out_, value, field.column->kind == JsonColumn::Kind::Signed);
    }

    struct Last {
        bool known = false;
        uint64_t value = 0;
        const std::string *text = nullptr;
    };
    JsonText &out_;
    TimeWriter time_;
    std::vector<Last> last_;
    bool empty_ = true;
};

class Encoder : public Napi::AsyncWorker {
  public:
    Encoder(Napi::Env env, std::unique_ptr<JsonPlan> plan)
        : AsyncWorker(env, "sonde json"), deferred(env), plan_(std::move(plan)) {}
    Napi::Promise::Deferred deferred;

  protected:
    void Execute() override { writeJsonLines(*plan_, out_); }

    void OnOK() override {
        size_t size = out_.size();
        out_.room(1);
        Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(Env(), out_.release(), size,
                                                          [](Napi::BasicEnv, void *data) { free(data); });
        deferred.Resolve(Napi::Uint8Array::New(Env(), size, buffer, 0));
    }

    void OnError(const Napi::Error &error) override {
        deferred.Reject(errorValue(Env(), Failure(Code::Exhausted, "write JSON lines: " + error.Message())));
    }

  private:
    std::unique_ptr<JsonPlan> plan_;
    JsonText out_;
};

/// encodeJsonLines(batch: Batch, fields: JsonField[]): Promise<Uint8Array>
Napi::Value encodeJsonLines(const Napi::CallbackInfo &info) {
    if (!info[1].IsArray()) throw Failure(Code::InvalidArgument, "fields must be a list");
    std::unique_ptr<JsonPlan> plan = planJson(objectArgument(info[0], "batch"), info[1].As<Napi::Array>());
    auto *encoder = new Encoder(info.Env(), std::move(plan));
    Napi::Promise promise = encoder->deferred.Promise();
    encoder->Queue();
    return promise;
}

}  // namespace

void writeJsonLines(const JsonPlan &plan, JsonText &out) {
    RowWriter writer(plan, out);
    for (size_t row = 0; row < plan.rows; row++) {
        writer.startRow();
        for (size_t i = 0; i < plan.fields.size(); i++) writer.field(plan.fields[i], i, row);
        out.put("}\n", 2);
    }
}

void addJson(Napi::Env, Napi::Object exports) {
    addFunction(exports, "encodeJsonLines", encodeJsonLines);
}
