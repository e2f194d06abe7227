// This process: its clocks, CPU time, and what it holds in the kernel.

#include "process.h"

#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "errors.h"

namespace {

uint64_t nanoseconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return uint64_t(now.tv_sec) * 1000000000 + uint64_t(now.tv_nsec);
}

/// clocks(): { monotonic: bigint; realtime: bigint }
Napi::Value clocks(const Napi::CallbackInfo &info) {
    // The pair with the least time between them of a few: the reader may have been interrupted.
    uint64_t best = ~uint64_t(0), monotonic = 0, realtime = 0;
    for (int i = 0; i < 5; i++) {
        uint64_t before = nanoseconds(CLOCK_MONOTONIC), wall = nanoseconds(CLOCK_REALTIME);
        uint64_t width = nanoseconds(CLOCK_MONOTONIC) - before;
        if (width >= best) continue;
        best = width;
        monotonic = before + width / 2;
        realtime = wall;
    }
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("monotonic", Napi::BigInt::New(info.Env(), monotonic));
    object.Set("realtime", Napi::BigInt::New(info.Env(), realtime));
    return object;
}

/// cpuTime(): bigint
Napi::Value cpuTime(const Napi::CallbackInfo &info) {
    return Napi::BigInt::New(info.Env(), nanoseconds(CLOCK_PROCESS_CPUTIME_ID));
}

/// held(): { programs: number; maps: number; links: number; fds: number }
Napi::Value held(const Napi::CallbackInfo &info) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) throw systemFailure("read /proc/self/fd", errno);
    int programs = 0, maps = 0, links = 0, fds = 0;
    while (dirent *entry = readdir(folder)) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
        fds++;
        char text[2048];
        int file = open((std::string("/proc/self/fdinfo/") + entry->d_name).c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        ssize_t size = read(file, text, sizeof text - 1);
        close(file);
        text[size > 0 ? size : 0] = 0;
        // A link's lines name its program, too.
        if (strstr(text, "\nlink_id:"))
            links++;
        else if (strstr(text, "\nprog_id:"))
            programs++;
        else if (strstr(text, "\nmap_id:"))
            maps++;
    }
    closedir(folder);
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("programs", programs);
    object.Set("maps", maps);
    object.Set("links", links);
    object.Set("fds", fds);
    return object;
}

}  // namespace

void addProcess(Napi::Env, Napi::Object exports) {
    addFunction(exports, "clocks", clocks);
    addFunction(exports, "cpuTime", cpuTime);
    addFunction(exports, "held", held);
}
