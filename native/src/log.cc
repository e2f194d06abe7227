// Collects libbpf's messages; see log.h.

#include "log.h"

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <vector>

#include <bpf/libbpf.h>

static thread_local LogCapture *current = nullptr;
constexpr size_t mostLog = 20 << 20;  // the verifier's own limit is 16 MiB

int logPrint(int, const char *piece, void *) {
    if (current && current->text_.size() < mostLog) current->text_ += piece;
    return 0;
}

static int print(libbpf_print_level level, const char *format, va_list arguments) {
    if (!current || level == LIBBPF_DEBUG) return 0;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length <= 0) return 0;
    std::vector<char> piece(size_t(length) + 1);
    vsnprintf(piece.data(), piece.size(), format, arguments);
    return logPrint(level, piece.data(), nullptr);
}

LogCapture::LogCapture() : outer_(current) {
    static std::once_flag once;
    std::call_once(once, [] { libbpf_set_print(print); });
    current = this;
}

LogCapture::~LogCapture() {
    current = outer_;
}

std::string LogCapture::verifierText() const {
    static const std::string begin = "-- BEGIN PROG LOAD LOG --\n", end = "-- END PROG LOAD LOG --";
    size_t from = text_.find(begin);
    if (from == std::string::npos) return "";
    from += begin.size();
    size_t to = text_.find(end, from);
    return text_.substr(from, to == std::string::npos ? to : to - from);
}

std::string LogCapture::failedProgram() const {
    size_t at = text_.find("': BPF program load failed");
    if (at == std::string::npos) return "";
    size_t from = text_.rfind("prog '", at);
    return from == std::string::npos ? "" : text_.substr(from + 6, at - from - 6);
}

static std::string lastLineWhere(const std::string &text, bool (*says)(const std::string &)) {
    size_t end = text.size();
    while (end > 0) {
        size_t from = text.rfind('\n', end - 1);
        size_t start = from == std::string::npos ? 0 : from + 1;
        std::string line = text.substr(start, end - start);
        if (!line.empty() && says(line)) return line;
        if (from == std::string::npos) break;
        end = from;
    }
    return "";
}

std::string LogCapture::lastLine() const {
    std::string line = lastLineWhere(text_, [](const std::string &) { return true; });
    return line.starts_with("libbpf: ") ? line.substr(8) : line;
}

std::string lastVerifierLine(const std::string &log) {
    return lastLineWhere(log, [](const std::string &line) {
        for (const char *noise : {"processed ", "max_states", "verification time", "stack depth",
                                  "mark_precise:", "insns processed", ";", "-- "})
            if (line.starts_with(noise)) return false;
        return true;
    });
}
