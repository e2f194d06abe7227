// JSON lines from the columns of a batch: the inner loop of writing events to a file. json_plan.cc reads what
// JavaScript hands in, json_write.cc writes text, json.cc runs it on a worker thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <napi.h>

/// A column in the memory of JavaScript's typed arrays; every access is checked against its length.
struct JsonColumn {
    enum class Kind { Unsigned, Signed, Text, Bytes };
    Kind kind = Kind::Unsigned;
    uint32_t width = 1;
    const uint8_t *data = nullptr;
    size_t size = 0;
    const uint32_t *offsets = nullptr;

    /// Sign-extended; of numbers only.
    uint64_t integer(size_t row) const {
        const uint8_t *at = data + row * width;
        bool isSigned = kind == Kind::Signed;
        switch (width) {
            case 1:
                return isSigned ? uint64_t(int64_t(int8_t(*at))) : *at;
            case 2: {
                uint16_t word;
                memcpy(&word, at, 2);
                return isSigned ? uint64_t(int64_t(int16_t(word))) : word;
            }
            case 4: {
                uint32_t word;
                memcpy(&word, at, 4);
                return isSigned ? uint64_t(int64_t(int32_t(word))) : word;
            }
            default: {
                uint64_t word;
                memcpy(&word, at, 8);
                return word;
            }
        }
    }
};

struct JsonPlanField {
    enum class As { Integer, Text, List, Time, IpAddress, Boolean, Base64, Lookup, Members };
    As as = As::Integer;
    /// `"name":` and `"name_bytes":"`, escaped.
    std::string key, bytesKey;
    const JsonColumn *column = nullptr;
    /// Columns that must not be 0.
    std::vector<const JsonColumn *> conditions;
    std::unordered_map<uint64_t, std::string> values;
    bool otherwiseInteger = false;
    uint64_t offset = 0;
};

struct JsonPlan {
    size_t rows = 0;
    std::unordered_map<std::string, std::unique_ptr<JsonColumn>> columns;
    std::vector<JsonPlanField> fields;
    /// Keep the typed arrays alive while the worker reads them.
    std::vector<Napi::ObjectReference> kept;
};

/// Throws InvalidArgument, NotFound (a field's column).
std::unique_ptr<JsonPlan> planJson(Napi::Object batch, Napi::Array fields);

/// A growing buffer from malloc, handed to JavaScript without a copy.
class JsonText {
  public:
    JsonText() = default;
    JsonText(const JsonText &) = delete;
    JsonText &operator=(const JsonText &) = delete;
    ~JsonText();
    /// Room for that many more bytes behind at().
    char *room(size_t bytes) {
        if (used_ + bytes > room_) grow(bytes);
        return memory_ + used_;
    }
    void advance(char *to) { used_ = size_t(to - memory_); }
    void put(char c) {
        char *at = room(1);
        *at = c;
        used_++;
    }
    void put(const char *bytes, size_t size) {
        if (!size) return;
        memcpy(room(size), bytes, size);
        used_ += size;
    }
    void put(const std::string &text) { put(text.data(), text.size()); }
    size_t size() const { return used_; }
    void shrink(size_t size) { used_ = size; }
    char *release();

  private:
    void grow(size_t bytes);

    char *memory_ = nullptr;
    size_t used_ = 0, room_ = 0;
};

/// Without quotation marks. False where a byte was not UTF-8 and stands as U+FFFD.
bool writeEscaped(JsonText &out, const uint8_t *text, size_t size);
void writeBase64(JsonText &out, const uint8_t *bytes, size_t size);
void writeInteger(JsonText &out, uint64_t value, bool isSigned);
/// 16 bytes (v4-mapped as v4) or 4.
void writeIpAddress(JsonText &out, const uint8_t *address, size_t size);

/// Writes RFC 3339 in UTC; keeps the date of the last second.
class TimeWriter {
  public:
    void write(JsonText &out, uint64_t nanoseconds);

  private:
    uint64_t second_ = ~uint64_t(0);
    char date_[21] = "";
};

void writeJsonLines(const JsonPlan &plan, JsonText &out);

void addJson(Napi::Env env, Napi::Object exports);
