// What one JavaScript thread (the main one or a worker) keeps of the addon: constructors and the error class.
#pragma once

#include <map>
#include <string>

#include <napi.h>

struct Instance {
    Napi::FunctionReference errorClass;
    /// Constructors of the handle classes, by name.
    std::map<std::string, Napi::FunctionReference> classes;
};
