// Writing JSON text; see json.h. Text comes from traced processes: any bytes at all.

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include "json.h"

namespace {

constexpr uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;

/// Not 0 where any of eight bytes may need escaping: control characters, quotation mark, backslash, beyond
/// ASCII.
uint64_t special(uint64_t word) {
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    uint64_t found = word | (word - ones * 0x20) | (quote - ones) | (slash - ones);
    return found & tops;
}

/// Length of the well-formed UTF-8 sequence at `text`, 0 where it is not one.
size_t sequence(const uint8_t *text, size_t left) {
    uint8_t first = text[0];
    auto more = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) {
        return i < left && text[i] >= low && text[i] <= high;
    };
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return more(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        uint8_t low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
        return more(1, low, high) && more(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        uint8_t low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
        return more(1, low, high) && more(2) && more(3) ? 4 : 0;
    }
    return 0;
}

char *escapeAscii(char *at, uint8_t byte) {
    static const char hex[] = "0123456789abcdef";
    *at++ = '\\';
    switch (byte) {
        case '"':
        case '\\':
            *at++ = char(byte);
            return at;
        case '\n':
            *at++ = 'n';
            return at;
        case '\t':
            *at++ = 't';
            return at;
        case '\r':
            *at++ = 'r';
            return at;
    }
    memcpy(at, "u00", 3);
    at[3] = hex[byte >> 4];
    at[4] = hex[byte & 15];
    return at + 5;
}

void twoDigits(char *at, unsigned value) {
    at[0] = char('0' + value / 10);
    at[1] = char('0' + value % 10);
}

}  // namespace

JsonText::~JsonText() {
    free(memory_);
}

void JsonText::grow(size_t bytes) {
    size_t wanted = std::max(room_ * 2, used_ + bytes + 4096);
    char *larger = static_cast<char *>(realloc(memory_, wanted));
    if (!larger) throw std::bad_alloc();
    memory_ = larger;
    room_ = wanted;
}

char *JsonText::release() {
    return std::exchange(memory_, nullptr);
}

bool writeEscaped(JsonText &out, const uint8_t *text, size_t size) {
    // A byte becomes six at most; the fast loop may write eight where fewer are meant.
    char *at = out.room(size * 6 + 8);
    bool valid = true;
    for (size_t i = 0; i < size;) {
        if (i + 8 <= size) {
            uint64_t word;
            memcpy(&word, text + i, 8);
            if (!special(word)) {
                memcpy(at, &word, 8);
                at += 8;
                i += 8;
                continue;
            }
        }
        // One word, or the rest, byte by byte.
        for (size_t end = std::min(i + 8, size); i < end;) {
            uint8_t byte = text[i];
            if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
                *at++ = char(byte);
                i++;
            } else if (byte < 0x80) {
                at = escapeAscii(at, byte);
                i++;
            } else if (size_t length = sequence(text + i, size - i)) {
                memcpy(at, text + i, length);
                at += length;
                i += length;
            } else {
                memcpy(at, "\xef\xbf\xbd", 3);
                at += 3;
                i++;
                valid = false;
            }
        }
    }
    out.advance(at);
    return valid;
}

void writeBase64(JsonText &out, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out.room((size + 2) / 3 * 4);
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = uint32_t(bytes[i]) << 16;
        if (left > 1) three |= uint32_t(bytes[i + 1]) << 8;
        if (left > 2) three |= bytes[i + 2];
        *at++ = digits[three >> 18];
        *at++ = digits[three >> 12 & 63];
        *at++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[three & 63] : '=';
    }
    out.advance(at);
}

void writeInteger(JsonText &out, uint64_t value, bool isSigned) {
    char *at = out.room(24);
    auto end = isSigned ? std::to_chars(at, at + 24, int64_t(value)) : std::to_chars(at, at + 24, value);
    out.advance(end.ptr);
}

void writeIpAddress(JsonText &out, const uint8_t *address, size_t size) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char *at = out.room(INET6_ADDRSTRLEN);
    if (size == 16 && memcmp(address, mapped, sizeof mapped) != 0) {
        inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN);
        out.advance(at + strlen(at));
        return;
    }
    const uint8_t *four = size == 16 ? address + 12 : address;
    for (int i = 0; i < 4; i++) {
        if (i) *at++ = '.';
        at = std::to_chars(at, at + 3, unsigned(four[i])).ptr;
    }
    out.advance(at);
}

void TimeWriter::write(JsonText &out, uint64_t nanoseconds) {
    uint64_t second = nanoseconds / 1000000000;
    uint32_t rest = uint32_t(nanoseconds % 1000000000);
    if (second != second_) {
        time_t whole = time_t(second);
        tm parts{};
        gmtime_r(&whole, &parts);
        unsigned year = unsigned(parts.tm_year + 1900);
        twoDigits(date_, year / 100 % 100);
        twoDigits(date_ + 2, year % 100);
        date_[4] = date_[7] = '-';
        twoDigits(date_ + 5, unsigned(parts.tm_mon + 1));
        twoDigits(date_ + 8, unsigned(parts.tm_mday));
        date_[10] = 'T';
        twoDigits(date_ + 11, unsigned(parts.tm_hour));
        date_[13] = date_[16] = ':';
        twoDigits(date_ + 14, unsigned(parts.tm_min));
        twoDigits(date_ + 17, unsigned(parts.tm_sec));
        date_[19] = '.';
        second_ = second;
    }
    char *at = out.room(32);
    memcpy(at, date_, 20);
    for (int i = 28; i >= 20; i--, rest /= 10) at[i] = char('0' + rest % 10);
    at[29] = 'Z';
    out.advance(at + 30);
}
