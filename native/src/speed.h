// lookupTime() of native/api.ts.
#pragma once

#include <napi.h>

void addSpeed(Napi::Env env, Napi::Object exports);
