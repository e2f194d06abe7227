// Exports of process.cc.
#pragma once

#include <napi.h>

void addProcess(Napi::Env env, Napi::Object exports);
