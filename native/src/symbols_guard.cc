// See symbols_guard.h.

#include "symbols_guard.h"

#include <csignal>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

namespace {

// Static, so that the handler allocates nothing when it first looks at it on some thread.
__attribute__((tls_model("initial-exec"))) thread_local volatile int depth = 0;
__attribute__((tls_model("initial-exec"))) thread_local volatile bool missing = false;
struct sigaction before;
uintptr_t pageMask;

void onBusError(int signal, siginfo_t *info, void *context) {
    if (depth > 0 && info->si_code == BUS_ADRERR) {
        void *page = reinterpret_cast<void *>(reinterpret_cast<uintptr_t>(info->si_addr) & pageMask);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        if (mmap(page, ~pageMask + 1, PROT_READ, flags, -1, 0) != MAP_FAILED) {
            missing = true;
            return;
        }
    }
    if (before.sa_flags & SA_SIGINFO) return before.sa_sigaction(signal, info, context);
    if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(signal);
    // The faulting instruction runs again and ends the process as it would have without this handler.
    struct sigaction plain = {};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGBUS, &plain, nullptr);
}

}  // namespace

TruncationGuard::TruncationGuard() {
    static std::once_flag installed;
    std::call_once(installed, [] {
        pageMask = ~(uintptr_t(sysconf(_SC_PAGESIZE)) - 1);
        struct sigaction action = {};
        action.sa_sigaction = onBusError;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaction(SIGBUS, &action, &before);
    });
    if (depth == 0) missing = false;
    depth = depth + 1;
}

TruncationGuard::~TruncationGuard() {
    depth = depth - 1;
}

bool TruncationGuard::tripped() const {
    return missing;
}
