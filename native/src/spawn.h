// Exports of spawn.cc.
#pragma once

#include <napi.h>

void addSpawn(Napi::Env env, Napi::Object exports);
