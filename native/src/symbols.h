// The symbolizer's bindings (symbols.cc).
#pragma once

#include <napi.h>

void addSymbols(Napi::Env env, Napi::Object exports);
