// The parts of the addon, one line each; addon.cc calls all of them.
#pragma once

#include "elf_lists.h"
#include "errors.h"
#include "features.h"
#include "kernel_lookup.h"
#include "map.h"
#include "object.h"
#include "process.h"
#include "ring.h"
#include "spawn.h"
#include "speed.h"
#include "json.h"
#include "mappings.h"
#include "symbols.h"

/// capture.h: libpcap's headers and the kernel's both have a struct bpf_insn.
void addCapture(Napi::Env env, Napi::Object exports);
