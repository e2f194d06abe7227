// readPackets, PacketReader and checkPacketFilter (native/api.ts).

#include "capture.h"

#include "arguments.h"

namespace {

constexpr int mostSnapLength = 262144;  // libpcap's own

void callJs(Napi::Env env, Napi::Function, std::shared_ptr<CaptureShared> *shared, CaptureMessage *message) {
    std::unique_ptr<CaptureMessage> owned(message);
    if (env == nullptr || !shared || !(*shared)->handle) return;
    std::shared_ptr<CaptureShared> keep = *shared;
    try {
        keep->handle->deliver(env, *message);
    } catch (const Napi::Error &error) {
        try {
            keep->onError.Call({error.Value()});
        } catch (const Napi::Error &) {
            // Whoever handles errors failed as well: nobody is left to tell.
        }
    }
}

using Channel = Napi::TypedThreadSafeFunction<std::shared_ptr<CaptureShared>, CaptureMessage, callJs>;

/// One ArrayBuffer for all columns; the block's memory goes with it.
Napi::Object batchOf(Napi::Env env, PacketBlock &block) {
    uint8_t *memory = std::exchange(block.memory, nullptr);
    const size_t rows = block.rows;
    Napi::ArrayBuffer buffer =
        Napi::ArrayBuffer::New(env, memory, block.size, [](Napi::BasicEnv, void *data) { free(data); });
    Napi::Object columns = Napi::Object::New(env);
    auto numbers = [&](const char *name, Napi::Value values) {
        Napi::Object column = Napi::Object::New(env);
        column.Set("kind", "unsigned");
        column.Set("values", values);
        columns.Set(name, column);
    };
    auto texts = [&](const char *name, size_t offsets, size_t bytes, size_t size) {
        Napi::Object column = Napi::Object::New(env);
        column.Set("kind", "text");
        column.Set("offsets", Napi::Uint32Array::New(env, rows + 1, buffer, offsets));
        column.Set("bytes", Napi::Uint8Array::New(env, size, buffer, bytes));
        columns.Set(name, column);
    };
    numbers("time", Napi::BigUint64Array::New(env, rows, buffer, block.times));
    numbers("container", Napi::BigUint64Array::New(env, rows, buffer, block.containers));
    numbers("original_bytes", Napi::Uint32Array::New(env, rows, buffer, block.originals));
    numbers("link_type", Napi::Uint32Array::New(env, rows, buffer, block.linkTypes));
    texts("device", block.deviceOffsets, block.devices, block.devicesSize);
    texts("packet", block.packetOffsets, block.packets, block.packetsSize);
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("rows", double(rows));
    batch.Set("columns", columns);
    batch.Set("late", double(block.late));
    return batch;
}

uint64_t bigArgument(const Napi::Value &value, const std::string &what) {
    if (!value.IsBigInt()) throw Failure(Code::InvalidArgument, what + " must be a bigint");
    bool exact;
    return value.As<Napi::BigInt>().Uint64Value(&exact);
}

/// readPackets(options: PacketReaderOptions): PacketReader
Napi::Value readPackets(const Napi::CallbackInfo &info) {
    Napi::Object options = objectArgument(info[0], "options");
    for (const char *name : {"onBatch", "onGone", "onError"})
        if (!options.Get(name).IsFunction())
            throw Failure(Code::InvalidArgument, std::string(name) + " must be a function");
    pcapLibrary();
    CaptureThread::Options limits{
        size_t(integerOption(options, "maxRows", 1, 1 << 20, 16384)),
        uint32_t(integerOption(options, "flushMs", 1, 60000, 250)),
        size_t(integerOption(options, "keepBytes", 0, 1 << 30, 0)),
    };
    Napi::Object reader;
    CaptureHandle *handle = CaptureHandle::create(info.Env(), &reader);
    handle->start(info.Env(), limits, options);
    return reader;
}

/// checkPacketFilter(filter: string, linkType: number, snapLength: number): void
Napi::Value checkPacketFilter(const Napi::CallbackInfo &info) {
    checkCaptureFilter(textArgument(info[0], "filter"), int(integerArgument(info[1], "linkType", 0, 65535)),
                       int(integerArgument(info[2], "snapLength", 1, mostSnapLength)));
    return info.Env().Undefined();
}

}  // namespace

void CaptureHandle::define(Napi::Env env) {
    Handle::define(env, {method<&CaptureHandle::add>("add"), method<&CaptureHandle::remove>("remove"),
                         method<&CaptureHandle::dropped>("dropped"), method<&CaptureHandle::stop>("stop")});
}

void CaptureHandle::start(Napi::Env env, CaptureThread::Options options, const Napi::Object &callbacks) {
    env_ = env;
    shared_ = std::make_shared<CaptureShared>();
    shared_->handle = this;
    shared_->onBatch = Napi::Persistent(callbacks.Get("onBatch").As<Napi::Function>());
    shared_->onGone = Napi::Persistent(callbacks.Get("onGone").As<Napi::Function>());
    shared_->onError = Napi::Persistent(callbacks.Get("onError").As<Napi::Function>());
    auto *context = new std::shared_ptr<CaptureShared>(shared_);
    Channel channel = Channel::New(env, "sonde packets", 0, 1, context,
                                   [](Napi::Env, void *, std::shared_ptr<CaptureShared> *done) {
                                       (*done)->onBatch.Reset();
                                       (*done)->onGone.Reset();
                                       (*done)->onError.Reset();
                                       delete done;
                                   });
    auto send = [channel](std::unique_ptr<CaptureMessage> message) {
        if (channel.NonBlockingCall(message.get()) != napi_ok) return false;
        message.release();
        return true;
    };
    auto deliver = [send](std::unique_ptr<PacketBlock> block) {
        auto message = std::make_unique<CaptureMessage>();
        message->block = std::move(block);
        return send(std::move(message));
    };
    auto gone = [send](uint64_t container, const std::string &why) {
        auto message = std::make_unique<CaptureMessage>();
        message->gone = true;
        message->container = container;
        message->words = why;
        send(std::move(message));
    };
    auto ended = [send, channel](const std::string &failure) mutable {
        auto message = std::make_unique<CaptureMessage>();
        message->words = failure;
        if (send(std::move(message))) channel.Release();
    };
    try {
        thread_ = std::make_unique<CaptureThread>(options, deliver, gone, ended);
    } catch (...) {
        channel.Release();
        throw;
    }
    // Runs before the channel's own, which was added earlier: a thread must not outlive what it calls.
    napi_add_env_cleanup_hook(env_, endWithEnvironment, this);
}

void CaptureHandle::endWithEnvironment(void *handle) {
    auto *self = static_cast<CaptureHandle *>(handle);
    if (self->thread_) self->shared_->handle = nullptr;
    self->thread_.reset();
}

CaptureHandle::~CaptureHandle() {
    if (!shared_) return;
    shared_->handle = nullptr;
    napi_remove_env_cleanup_hook(env_, endWithEnvironment, this);
    thread_.reset();
}

/// On the main thread.
void CaptureHandle::deliver(Napi::Env env, CaptureMessage &message) {
    if (message.block) {
        size_t size = message.block->size;
        Napi::Object batch = batchOf(env, *message.block);
        thread_->taken(size);
        shared_->onBatch.Call({batch});
        return;
    }
    if (message.gone) {
        shared_->onGone.Call(
            {Napi::BigInt::New(env, message.container), Napi::String::New(env, message.words)});
        return;
    }
    shared_->ended = true;
    std::vector<Napi::Promise::Deferred> stops = std::exchange(shared_->stops, {});
    for (Napi::Promise::Deferred &deferred : stops) deferred.Resolve(env.Undefined());
    if (!stops.empty()) Unref();
    if (!message.words.empty())
        shared_->onError.Call(
            {errorValue(env, Failure(Code::SystemError, "reading packets ended: " + message.words))});
}

CaptureThread &CaptureHandle::thread() {
    if (!thread_) throw Failure(Code::Closed, "the packets' reader has ended");
    return *thread_;
}

/// add(options: PacketSource): number
Napi::Value CaptureHandle::add(const Napi::CallbackInfo &info) {
    Napi::Object options = objectArgument(info[0], "options");
    auto source = std::make_unique<CaptureSource>(CaptureOptions{
        textArgument(options.Get("netns"), "netns"),
        textArgument(options.Get("device"), "device"),
        textArgument(options.Get("filter"), "filter"),
        bigArgument(options.Get("inode"), "inode"),
        int(integerArgument(options.Get("snapLength"), "snapLength", 1, mostSnapLength)),
        int(integerArgument(options.Get("bufferBytes"), "bufferBytes", 65536, 1 << 28)),
        bigArgument(options.Get("container"), "container"),
    });
    const int linkType = source->linkType();
    thread().add(std::move(source));
    return Napi::Number::New(info.Env(), linkType);
}

/// remove(container: bigint): void
Napi::Value CaptureHandle::remove(const Napi::CallbackInfo &info) {
    thread().remove(bigArgument(info[0], "container"));
    return info.Env().Undefined();
}

/// dropped(): Map<bigint, bigint>
Napi::Value CaptureHandle::dropped(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    Napi::Object map = env.Global().Get("Map").As<Napi::Function>().New({});
    Napi::Function set = map.Get("set").As<Napi::Function>();
    for (const auto &[container, count] : thread().dropped())
        set.Call(map, {Napi::BigInt::New(env, container), Napi::BigInt::New(env, count)});
    return map;
}

/// stop(): Promise<void>
Napi::Value CaptureHandle::stop(const Napi::CallbackInfo &info) {
    Napi::Promise::Deferred deferred(info.Env());
    if (shared_->ended || !thread_) {
        deferred.Resolve(info.Env().Undefined());
        return deferred.Promise();
    }
    // Kept until the last batch is out.
    if (shared_->stops.empty()) Ref();
    shared_->stops.push_back(deferred);
    thread_->stop(false);
    return deferred.Promise();
}

void addCapture(Napi::Env env, Napi::Object exports) {
    CaptureHandle::define(env);
    addFunction(exports, "readPackets", readPackets);
    addFunction(exports, "checkPacketFilter", checkPacketFilter);
}
