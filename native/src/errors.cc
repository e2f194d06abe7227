// Failures into JavaScript; see errors.h. native/index.ts hands in the class once per thread of JavaScript.

#include "errors.h"
#include "instance.h"

#include <cerrno>
#include <cstring>

static const char *codeName(Code code) {
    switch (code) {
        case Code::NotSupported:
            return "NotSupported";
        case Code::PermissionDenied:
            return "PermissionDenied";
        case Code::VerifierRejected:
            return "VerifierRejected";
        case Code::NotFound:
            return "NotFound";
        case Code::InvalidObject:
            return "InvalidObject";
        case Code::InvalidArgument:
            return "InvalidArgument";
        case Code::Exhausted:
            return "Exhausted";
        case Code::Closed:
            return "Closed";
        case Code::SystemError:
            return "SystemError";
    }
    return "SystemError";
}

std::string errnoName(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "errno " + std::to_string(error);
}

Failure systemFailure(const std::string &tried, int error, std::string log) {
    Code code = Code::SystemError;
    if (error == EPERM || error == EACCES) code = Code::PermissionDenied;
    if (error == ENOENT || error == ESRCH) code = Code::NotFound;
    if (error == ENOMEM || error == EMFILE || error == ENFILE || error == ENOSPC) code = Code::Exhausted;
    if (error == EOPNOTSUPP || error == ENOSYS || error == ENOTSUP) code = Code::NotSupported;
    return Failure(code, tried + ": " + strerror(error), error, std::move(log));
}

Napi::Value errorValue(Napi::Env env, const Failure &failure) {
    Napi::Object plain = Napi::Object::New(env);
    plain.Set("code", codeName(failure.code));
    plain.Set("message", failure.message);
    if (failure.error) plain.Set("errno", errnoName(failure.error));
    if (!failure.log.empty()) plain.Set("log", failure.log);
    Instance *instance = env.GetInstanceData<Instance>();
    if (instance && !instance->errorClass.IsEmpty()) return instance->errorClass.New({plain});
    Napi::Error bare = Napi::Error::New(env, failure.message);
    bare.Value().Set("code", codeName(failure.code));
    return bare.Value();
}

void throwFailure(Napi::Env env, const Failure &failure) {
    throw Napi::Error(env, errorValue(env, failure));
}

/// setErrorClass(NativeError): void
static Napi::Value setErrorClass(const Napi::CallbackInfo &info) {
    info.Env().GetInstanceData<Instance>()->errorClass = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
}

void addErrors(Napi::Env, Napi::Object exports) {
    addFunction(exports, "setErrorClass", setErrorClass);
}
