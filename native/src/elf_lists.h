// elfSymbols and usdtNotes (native/api.ts).
#pragma once

#include <napi.h>

void addElfLists(Napi::Env env, Napi::Object exports);
