// How fast this machine runs BPF programs, by one that does what ours do most: looks things up in a hash.
// agent/overhead.ts scales the cost of a hit by it.

#include "speed.h"

#include <vector>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "errors.h"
#include "log.h"

namespace {

constexpr int lookups = 16;
constexpr int repeats = 2000;

/// lookups × (r1 = map; r2 = key on the stack; call lookup); r0 = 0; exit
std::vector<bpf_insn> program(int map) {
    std::vector<bpf_insn> code;
    auto add = [&](uint8_t op, uint8_t dst, uint8_t src, int16_t off, int32_t imm) {
        bpf_insn insn{};
        insn.code = op;
        insn.dst_reg = dst & 15;
        insn.src_reg = src & 15;
        insn.off = off;
        insn.imm = imm;
        code.push_back(insn);
    };
    add(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 7);
    for (int i = 0; i < lookups; i++) {
        add(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map);
        add(0, 0, 0, 0, 0);
        add(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
        add(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8);
        add(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
    }
    add(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return code;
}

/// ns of one lookup; 0 where it can't be measured.
double measure() {
    LogCapture quiet;
    int map = bpf_map_create(BPF_MAP_TYPE_HASH, "sonde_speed", 8, 8, 64, nullptr);
    if (map < 0) return 0;
    std::vector<bpf_insn> code = program(map);
    int fd =
        bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "sonde_speed", "GPL", code.data(), code.size(), nullptr);
    char packet[64] = {};
    LIBBPF_OPTS(bpf_test_run_opts, run);
    run.data_in = packet;
    run.data_size_in = sizeof packet;
    run.repeat = repeats;
    // The best of three: an interrupt only ever makes it slower.
    double best = 0;
    for (int i = 0; i < 3 && fd >= 0; i++) {
        if (bpf_prog_test_run_opts(fd, &run) < 0) break;
        double each = double(run.duration) / lookups;
        if (best == 0 || each < best) best = each;
    }
    if (fd >= 0) close(fd);
    close(map);
    return best;
}

/// lookupTime(): number
Napi::Value lookupTime(const Napi::CallbackInfo &info) {
    static const double once = measure();
    return Napi::Number::New(info.Env(), once);
}

}  // namespace

void addSpeed(Napi::Env, Napi::Object exports) {
    addFunction(exports, "lookupTime", lookupTime);
}
