// Values as BTF describes them: bytes to JavaScript and back (BtfValue of native/api.ts), and sums over CPUs.
// The bytes may be anything; the type too may be anything that libbpf's own parser lets through.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <napi.h>

/// Skips typedefs and qualifiers. Type 0 (void) is its own end.
uint32_t btfPlain(const btf *types, uint32_t id);
/// Size in bytes; throws InvalidObject where the type has none.
size_t btfSize(const btf *types, uint32_t id);
std::string btfName(const btf *types, uint32_t id);
/// A plain one-byte `char`, whose arrays are text.
bool btfIsChar(const btf *types, uint32_t id);

Napi::Value btfDecode(Napi::Env env, const btf *types, uint32_t id, const uint8_t *bytes, size_t size);
/// `what` names the value in messages ("variable targ_pid", "key of map counts").
void btfEncode(const btf *types, uint32_t id, const Napi::Value &value, uint8_t *bytes, size_t size,
               const std::string &what);
/// Adds every integer of `more` to the one in `sum` (wrapping at its width); text and bytes stay as in `sum`
/// unless that is all zero.
void btfAdd(const btf *types, uint32_t id, uint8_t *sum, const uint8_t *more, size_t size);
