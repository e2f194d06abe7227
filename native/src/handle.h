// Base of the classes that JavaScript holds: methods are guarded, instances are type-tagged, so that a native
// method that is handed one can tell it from any other object. A Handle's C++ part is freed by the garbage
// collector or when its thread of JavaScript ends.
#pragma once

#include <napi.h>

#include "errors.h"
#include "instance.h"

/// T has `static constexpr const char *name` and `static constexpr napi_type_tag tag`.
template <typename T>
class Handle : public Napi::ObjectWrap<T> {
  public:
    explicit Handle(const Napi::CallbackInfo &info) : Napi::ObjectWrap<T>(info) {
        // JavaScript can reach the constructor through an instance; only create() may use it.
        if (info.Length() != 1 || !info[0].IsExternal())
            throwFailure(info.Env(), Failure(Code::InvalidArgument,
                                             std::string("a ") + T::name + " can't be made by new"));
        info.This().As<Napi::Object>().TypeTag(&T::tag);
    }

    /// Defines the class for this thread of JavaScript; it is not exported: instances come from functions
    /// only.
    static void define(Napi::Env env, const std::vector<Napi::ClassPropertyDescriptor<T>> &properties) {
        env.GetInstanceData<Instance>()->classes[T::name] =
            Napi::Persistent(T::DefineClass(env, T::name, properties));
    }

    static T *create(Napi::Env env, Napi::Object *object) {
        *object =
            env.GetInstanceData<Instance>()->classes[T::name].New({Napi::External<void>::New(env, nullptr)});
        return T::Unwrap(*object);
    }

    /// The C++ part of what JavaScript handed in; throws InvalidArgument where it is something else.
    static T *from(const Napi::Value &value) {
        if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&T::tag))
            throw Failure(Code::InvalidArgument, std::string("expected a ") + T::name + " of this addon");
        return T::Unwrap(value.As<Napi::Object>());
    }

  protected:
    using Body = Napi::Value (T::*)(const Napi::CallbackInfo &);

    template <Body body>
    Napi::Value guarded(const Napi::CallbackInfo &info) {
        return guard(info.Env(), [&] { return (static_cast<T *>(this)->*body)(info); });
    }
    template <Body body>
    static Napi::ClassPropertyDescriptor<T> method(const char *name) {
        Body call = static_cast<Body>(&Handle::template guarded<body>);
        return Napi::ObjectWrap<T>::InstanceMethod(name, call);
    }
    template <Body body>
    static Napi::ClassPropertyDescriptor<T> getter(const char *name) {
        Body call = static_cast<Body>(&Handle::template guarded<body>);
        return Napi::ObjectWrap<T>::InstanceAccessor(name, call, nullptr, napi_enumerable);
    }
};
