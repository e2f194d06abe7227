// Reading what JavaScript hands in: each function gives the value or throws InvalidArgument naming what was
// expected.
#pragma once

#include <string>

#include "errors.h"

inline std::string textArgument(const Napi::Value &value, const std::string &what) {
    if (!value.IsString()) throw Failure(Code::InvalidArgument, what + " must be a string");
    std::string text = value.As<Napi::String>().Utf8Value();
    if (text.find('\0') != std::string::npos)
        throw Failure(Code::InvalidArgument, what + " must not contain NUL");
    return text;
}

inline Napi::Object objectArgument(const Napi::Value &value, const std::string &what) {
    if (!value.IsObject()) throw Failure(Code::InvalidArgument, what + " must be an object");
    return value.As<Napi::Object>();
}

/// A whole number from low to high.
inline int64_t integerArgument(const Napi::Value &value, const std::string &what, int64_t low, int64_t high) {
    if (value.IsNumber()) {
        double number = value.As<Napi::Number>().DoubleValue();
        if (number >= double(low) && number <= double(high) && number == double(int64_t(number)))
            return int64_t(number);
    }
    throw Failure(Code::InvalidArgument, what + " must be a whole number from " + std::to_string(low) +
                                             " to " + std::to_string(high));
}

inline int64_t integerOption(const Napi::Object &options, const char *name, int64_t low, int64_t high,
                             int64_t otherwise) {
    Napi::Value value = options.Get(name);
    return value.IsUndefined() ? otherwise : integerArgument(value, name, low, high);
}

inline bool booleanOption(const Napi::Value &options, const char *name) {
    return options.IsObject() && options.As<Napi::Object>().Get(name).ToBoolean().Value();
}
