// Failures: how C++ code says why it could not do something. Thrown as Failure anywhere; bindings turn it
// into a NativeError of native/errors.ts by `guard`, workers by `errorValue`. Every binding goes through one
// of these two.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include <napi.h>

/// The codes of native/api.ts, in words where they reach JavaScript.
enum class Code {
    NotSupported,
    PermissionDenied,
    VerifierRejected,
    NotFound,
    InvalidObject,
    InvalidArgument,
    Exhausted,
    Closed,
    SystemError,
};

/// What was tried and why it failed; `error` is an errno or 0, `log` libbpf's and the verifier's words.
struct Failure : std::exception {
    Failure(Code code, std::string message, int error = 0, std::string log = "")
        : code(code), message(std::move(message)), error(error), log(std::move(log)) {}
    const char *what() const noexcept override { return message.c_str(); }
    Code code;
    std::string message;
    int error;
    std::string log;
};

/// "EPERM" for 1, and so on.
std::string errnoName(int error);

/// A failed system call in the general case: the code by errno, the message "<tried>: <errno's words>".
Failure systemFailure(const std::string &tried, int error, std::string log = "");

/// A NativeError made from a failure, to reject a promise with.
Napi::Value errorValue(Napi::Env env, const Failure &failure);

/// Throws a failure into JavaScript.
[[noreturn]] void throwFailure(Napi::Env env, const Failure &failure);

/// Runs a binding's body; a Failure or another C++ exception becomes a thrown NativeError.
template <typename Body>
auto guard(Napi::Env env, Body body) -> decltype(body()) {
    try {
        return body();
    } catch (const Napi::Error &) {
        throw;
    } catch (const Failure &failure) {
        throwFailure(env, failure);
    } catch (const std::bad_alloc &) {
        throwFailure(env, Failure(Code::Exhausted, "out of memory"));
    } catch (const std::exception &error) {
        throwFailure(env, Failure(Code::SystemError, error.what()));
    }
}

/// Adds a free function to the addon's exports, guarded.
inline void addFunction(Napi::Object exports, const char *name,
                        Napi::Value (*function)(const Napi::CallbackInfo &)) {
    exports.Set(name, Napi::Function::New(
                          exports.Env(),
                          [function](const Napi::CallbackInfo &info) {
                              return guard(info.Env(), [&] { return function(info); });
                          },
                          name));
}

void addErrors(Napi::Env env, Napi::Object exports);
