// Opening and reading a packet socket; see capture_source.h.

#include "capture_source.h"

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <ctime>
#include <unistd.h>

#include <exception>
#include <thread>

#include "capture_filter.h"
#include "errors.h"

namespace {

/// Others wait meanwhile, and memory is given out in between.
constexpr int mostAtOnce = 16384;

struct File {
    explicit File(int fd) : fd(fd) {}
    ~File() {
        if (fd >= 0) close(fd);
    }
    File(const File &) = delete;
    int fd;
};

/// Runs in a thread of its own, which ends with the namespace that it went to.
void inNamespace(const std::string &path, uint64_t inode, const auto &body) {
    File there(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (there.fd < 0) throw systemFailure("open the network namespace " + path, errno);
    struct stat wanted{}, own{};
    // One's own needs no CAP_SYS_ADMIN.
    if (fstat(there.fd, &wanted) != 0 || wanted.st_ino != inode)
        throw Failure(Code::NotFound, path + " is another network namespace by now");
    bool same = stat("/proc/thread-self/ns/net", &own) == 0 && wanted.st_ino == own.st_ino &&
                wanted.st_dev == own.st_dev;
    if (!same && setns(there.fd, CLONE_NEWNET) != 0) {
        if (errno == EPERM)
            throw Failure(Code::PermissionDenied,
                          "entering the network namespace " + path +
                              " needs CAP_SYS_ADMIN (in a cluster: agent.extraCapabilities of the chart)",
                          EPERM);
        throw systemFailure("enter the network namespace " + path, errno);
    }
    body();
}

Failure activateFailure(const PcapLibrary &pcap, pcap_t *handle, int status, const std::string &device) {
    std::string why = pcap.geterr(handle);
    std::string words = pcap.statustostr(status);
    std::string message = "capture on " + device + ": " + words + (why.empty() ? "" : " (" + why + ")");
    if (status == PCAP_ERROR_NO_SUCH_DEVICE)
        return Failure(Code::NotFound, "the network namespace has no interface " + device +
                                           ": name one that `ip link` shows there, or any");
    if (status == PCAP_ERROR_PERM_DENIED)
        return Failure(Code::PermissionDenied, message + "; CAP_NET_RAW is needed", EPERM);
    return Failure(Code::SystemError, message);
}

/// libpcap's words, and what to do.
Failure filterFailure(const std::string &filter, const char *words) {
    return Failure(Code::InvalidArgument, "the filter \"" + filter + "\" is not one: " + words +
                                              ". It is written as for tcpdump; `man pcap-filter` has the "
                                              "language, `tcpdump -d '...'` tries it");
}

}  // namespace

void checkCaptureFilter(const std::string &filter, int linkType, int snapLength) {
    const PcapLibrary &pcap = pcapLibrary();
    pcap_t *handle = pcap.open_dead(linkType, snapLength);
    if (!handle) throw Failure(Code::Exhausted, "out of memory");
    bpf_program program{};
    int result = pcap.compile(handle, &program, filter.c_str(), 1, 0);
    std::string words = result == 0 ? "" : pcap.geterr(handle);
    if (result == 0) pcap.freecode(&program);
    pcap.close(handle);
    if (result != 0) throw filterFailure(filter, words.c_str());
}

CaptureSource::CaptureSource(const CaptureOptions &options) : options_(options), pcap_(pcapLibrary()) {
    bpf_u_int32 network = 0, mask = 0;
    std::exception_ptr failed;
    std::thread opener([&] {
        try {
            inNamespace(options_.netns, options_.inode, [&] {
                char error[PCAP_ERRBUF_SIZE] = "";
                handle_ = pcap_.create(options_.device.c_str(), error);
                if (!handle_)
                    throw Failure(Code::SystemError, "capture on " + options_.device + ": " + error);
                pcap_.set_snaplen(handle_, options_.snapLength);
                // What others on the segment say to each other is not the pod's; and nothing of the pod's is
                // changed.
                pcap_.set_promisc(handle_, 0);
                pcap_.set_timeout(handle_, captureBlockMs);
                pcap_.set_buffer_size(handle_, options_.bufferBytes);
                pcap_.set_tstamp_precision(handle_, PCAP_TSTAMP_PRECISION_NANO);
                int status = pcap_.activate(handle_);
                if (status < 0) throw activateFailure(pcap_, handle_, status, options_.device);
                // As tcpdump does: without it, no expression can ask for a network's broadcast address.
                if (pcap_.lookupnet(options_.device.c_str(), &network, &mask, error) < 0) mask = 0;
            });
        } catch (...) {
            failed = std::current_exception();
        }
    });
    opener.join();
    try {
        if (failed) std::rethrow_exception(failed);
        // The newer of the two headers that stand in for the missing one; older libraries have the old alone.
        if (pcap_.datalink(handle_) == DLT_LINUX_SLL) pcap_.set_datalink(handle_, DLT_LINUX_SLL2);
        linkType_ = pcap_.datalink(handle_);
        char error[PCAP_ERRBUF_SIZE] = "";
        if (pcap_.setnonblock(handle_, 1, error) < 0)
            throw Failure(Code::SystemError, "capture on " + options_.device + ": " + error);
        // Here and not in the namespace: a name in a filter is looked up by the node, not in the pod's
        // network.
        bpf_program program{};
        if (pcap_.compile(handle_, &program, options_.filter.c_str(), 1, mask) != 0)
            throw filterFailure(options_.filter, pcap_.geterr(handle_));
        const bool attached = attachCaptureFilter(pcap_.fileno(handle_), program, linkType_);
        // What the kernel can't run, libpcap does.
        const int set = attached ? 0 : pcap_.setfilter(handle_, &program);
        pcap_.freecode(&program);
        if (set != 0)
            throw Failure(Code::SystemError,
                          "put the filter on " + options_.device + ": " + pcap_.geterr(handle_));
        timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        since_ = uint64_t(now.tv_sec) * 1000000000 + uint64_t(now.tv_nsec);
        fd_ = pcap_.get_selectable_fd(handle_);
    } catch (...) {
        if (handle_) pcap_.close(handle_);
        throw;
    }
}

CaptureSource::~CaptureSource() {
    pcap_.close(handle_);
}

bool CaptureSource::read(pcap_handler each, uint8_t *context, std::string *error) {
    int result = pcap_.dispatch(handle_, mostAtOnce, each, context);
    if (result >= 0) return true;
    *error = pcap_.geterr(handle_);
    return false;
}

uint64_t CaptureSource::dropped() {
    pcap_stat now{};
    // A count of 32 bits, which libpcap adds up from the kernel's PACKET_STATISTICS.
    if (pcap_.stats(handle_, &now) == 0) dropped_ += uint32_t(now.ps_drop - uint32_t(dropped_));
    return dropped_;
}
