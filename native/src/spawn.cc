// spawnInCgroup: a command that is in its cgroup before its first instruction (clone3 with CLONE_INTO_CGROUP,
// Linux 5.7).

#include "spawn.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/sched.h>
#include <memory>
#include <mutex>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "arguments.h"

namespace {

/// Everything that the child needs, made before it exists: it shares nothing but must not allocate, as
/// another thread may hold the heap's lock.
struct Command {
    std::vector<std::string> argumentTexts, environmentTexts, candidateTexts;
    std::vector<char *> arguments, environment, candidates;
    std::string folder;
    std::vector<int> closing; /* of stdin, stdout, stderr: those marked to be closed at exec */
    bool moves = false;       /* to another folder than this process is in */

    static std::vector<char *> pointers(std::vector<std::string> &texts) {
        std::vector<char *> list;
        for (std::string &text : texts) list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    }
};

/// What went wrong in the child before its exec, sent through a pipe that exec closes.
struct ChildFailure {
    int error;
    bool changingFolder;
};

class Fd {
  public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    int get() const { return fd_; }
    void reset(int fd = -1) {
        if (fd_ >= 0) close(fd_);
        fd_ = fd;
    }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

/// PATH of the command's own environment, as execvpe would search it.
void findCandidates(Command &command) {
    const std::string &file = command.argumentTexts[0];
    if (file.find('/') != std::string::npos) {
        command.candidateTexts.push_back(file);
        return;
    }
    std::string path = "/usr/local/bin:/usr/bin:/bin";
    for (const std::string &entry : command.environmentTexts)
        if (entry.starts_with("PATH=")) path = entry.substr(5);
    for (size_t from = 0; from <= path.size();) {
        size_t end = std::min(path.find(':', from), path.size());
        std::string folder = path.substr(from, end - from);
        command.candidateTexts.push_back((folder.empty() ? "." : folder) + "/" + file);
        from = end + 1;
    }
}

/// What can be done before the child is there is done before: its calls are seen as the command's.
void prepareChild(Command &command) {
    for (int fd = 0; fd <= 2; fd++) {
        // Node marks these to be closed at exec, and may have made them non-blocking.
        int closing = fcntl(fd, F_GETFD);
        if (closing > 0 && (closing & FD_CLOEXEC)) command.closing.push_back(fd);
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    struct stat here{}, there{};
    command.moves = stat(".", &here) != 0 || stat(command.folder.c_str(), &there) != 0 ||
                    here.st_dev != there.st_dev || here.st_ino != there.st_ino;
}

/// Runs in the child: system calls only.
[[noreturn]] void runChild(const Command &command, int report) {
    // Handlers are gone by CLONE_CLEAR_SIGHAND; what this process ignores stays ignored (nohup), but for what
    // Node itself ignores.
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int number : {SIGPIPE, SIGXFSZ}) sigaction(number, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int fd : command.closing) fcntl(fd, F_SETFD, 0);

    ChildFailure failure{0, false};
    if (command.moves && chdir(command.folder.c_str()) != 0) {
        failure = {errno, true};
    } else {
        failure.error = ENOENT;
        for (char *const *file = command.candidates.data(); *file; file++) {
            execve(*file, command.arguments.data(), command.environment.data());
            // As a shell does: a file that may not be run is worth saying, one that is not there only if none
            // is.
            if (errno != ENOENT && errno != ENOTDIR) failure.error = errno;
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
        }
    }
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

/// Shared by the thread that waits for the process and the main thread, which may end first.
struct Waiter {
    explicit Waiter(Napi::Env env) : deferred(env) {}
    Napi::Promise::Deferred deferred;
    siginfo_t result{};
    std::mutex lock;
    bool closed = false;
};

/// On the main thread: resolves `exited`.
void settle(Napi::Env env, Napi::Function, std::shared_ptr<Waiter> *waiter, void *) {
    if (env == nullptr || !waiter) return;
    const siginfo_t &result = (*waiter)->result;
    bool exited = result.si_code == CLD_EXITED;
    const char *signal = exited ? nullptr : sigabbrev_np(result.si_status);
    Napi::Object object = Napi::Object::New(env);
    object.Set("code", exited ? Napi::Number::New(env, result.si_status) : env.Null());
    object.Set("signal", signal ? Napi::String::New(env, std::string("SIG") + signal) : env.Null());
    (*waiter)->deferred.Resolve(object);
}

using Channel = Napi::TypedThreadSafeFunction<std::shared_ptr<Waiter>, void, settle>;

Napi::Promise waitFor(Napi::Env env, int pidfd) {
    auto waiter = std::make_shared<Waiter>(env);
    Napi::Promise promise = waiter->deferred.Promise();
    Channel channel = Channel::New(env, "sonde command", 0, 1, new std::shared_ptr<Waiter>(waiter),
                                   [](Napi::Env, void *, std::shared_ptr<Waiter> *done) {
                                       {
                                           std::lock_guard<std::mutex> hold((*done)->lock);
                                           (*done)->closed = true;
                                       }
                                       delete done;
                                   });
    std::thread([channel, pidfd, waiter]() mutable {
        siginfo_t result{};
        while (waitid(idtype_t(P_PIDFD), id_t(pidfd), &result, WEXITED) != 0 && errno == EINTR) {
        }
        close(pidfd);
        std::lock_guard<std::mutex> hold(waiter->lock);
        if (waiter->closed) return;
        waiter->result = result;
        if (channel.NonBlockingCall() == napi_ok) channel.Release();
    }).detach();
    return promise;
}

/// spawnInCgroup(cgroupPath: string, argv: string[], env: Record<string, string>, cwd: string):
/// SpawnedCommand
Napi::Value spawnInCgroup(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string group = textArgument(info[0], "cgroupPath");
    if (!info[1].IsArray() || info[1].As<Napi::Array>().Length() == 0)
        throw Failure(Code::InvalidArgument, "argv must be a list that begins with the command");
    Command command;
    Napi::Array arguments = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < arguments.Length(); i++)
        command.argumentTexts.push_back(textArgument(arguments.Get(i), "an argument"));
    Napi::Object variables = objectArgument(info[2], "env");
    Napi::Array names = variables.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); i++) {
        std::string name = names.Get(i).ToString().Utf8Value();
        command.environmentTexts.push_back(name + "=" +
                                           textArgument(variables.Get(name), "variable " + name));
    }
    command.folder = textArgument(info[3], "cwd");
    findCandidates(command);
    command.arguments = Command::pointers(command.argumentTexts);
    command.environment = Command::pointers(command.environmentTexts);
    command.candidates = Command::pointers(command.candidateTexts);

    prepareChild(command);

    Fd folder(open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) throw systemFailure("open cgroup " + group, errno);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw systemFailure("make a pipe", errno);
    Fd reading(ends[0]), writing(ends[1]);

    int pidfd = -1;
    clone_args how{};
    how.flags = CLONE_INTO_CGROUP | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    how.pidfd = uint64_t(uintptr_t(&pidfd));
    how.exit_signal = SIGCHLD;
    how.cgroup = uint64_t(folder.get());
    // No signal handler of ours may run in the child before it has put the standard ones in place.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    long pid = syscall(SYS_clone3, &how, sizeof how);
    int error = errno;
    if (pid == 0) runChild(command, writing.get());
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) throw systemFailure("start a process in cgroup " + group, error);

    writing.reset();
    ChildFailure failure{};
    ssize_t size;
    while ((size = read(reading.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
    }
    if (size == ssize_t(sizeof failure)) {
        siginfo_t ended{};
        waitid(idtype_t(P_PIDFD), id_t(pidfd), &ended, WEXITED);
        close(pidfd);
        throw systemFailure(
            failure.changingFolder ? "change to folder " + command.folder : "run " + command.argumentTexts[0],
            failure.error);
    }
    Napi::Object object = Napi::Object::New(env);
    object.Set("pid", double(pid));
    object.Set("exited", waitFor(env, pidfd));
    return object;
}

}  // namespace

void addSpawn(Napi::Env, Napi::Object exports) {
    addFunction(exports, "spawnInCgroup", spawnInCgroup);
}
