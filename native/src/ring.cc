// readRing and RingReader (native/api.ts).

#include "ring.h"

#include <fcntl.h>
#include <unistd.h>

#include "arguments.h"

namespace {

void callJs(Napi::Env env, Napi::Function, std::shared_ptr<RingShared> *shared, RingMessage *message) {
    std::unique_ptr<RingMessage> owned(message);
    if (env == nullptr || !shared || !(*shared)->handle) return;
    std::shared_ptr<RingShared> keep = *shared;
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

using Channel = Napi::TypedThreadSafeFunction<std::shared_ptr<RingShared>, RingMessage, callJs>;

template <typename Word>
Napi::Value words(Napi::Env env, Napi::ArrayBuffer buffer, size_t offset, size_t count) {
    return Napi::TypedArrayOf<Word>::New(env, count, buffer, offset);
}

Napi::Value numbers(Napi::Env env, Napi::ArrayBuffer buffer, const ColumnPlace &place, uint32_t width,
                    bool isSigned, size_t count) {
    switch (width) {
        case 1:
            return isSigned ? words<int8_t>(env, buffer, place.data, count)
                            : words<uint8_t>(env, buffer, place.data, count);
        case 2:
            return isSigned ? words<int16_t>(env, buffer, place.data, count)
                            : words<uint16_t>(env, buffer, place.data, count);
        case 4:
            return isSigned ? words<int32_t>(env, buffer, place.data, count)
                            : words<uint32_t>(env, buffer, place.data, count);
        default:
            return isSigned ? words<int64_t>(env, buffer, place.data, count)
                            : words<uint64_t>(env, buffer, place.data, count);
    }
}

/// One ArrayBuffer for all columns; the block's memory goes with it.
Napi::Object batchOf(Napi::Env env, const RingPlan &plan, ColumnBlock &block) {
    uint8_t *memory = std::exchange(block.memory, nullptr);
    Napi::ArrayBuffer buffer =
        Napi::ArrayBuffer::New(env, memory, block.size, [](Napi::BasicEnv, void *data) { free(data); });
    Napi::Object columns = Napi::Object::New(env);
    for (size_t c = 0; c < plan.columns.size(); c++) {
        const RingColumn &column = plan.columns[c];
        const ColumnPlace &place = block.places[c];
        Napi::Object entry = Napi::Object::New(env);
        if (column.text()) {
            entry.Set("kind", "text");
            entry.Set("offsets", words<uint32_t>(env, buffer, place.offsets, block.rows + 1));
            entry.Set("bytes", words<uint8_t>(env, buffer, place.data, place.dataSize));
        } else if (column.kind == RingColumn::Kind::Bytes) {
            entry.Set("kind", "bytes");
            entry.Set("width", column.width);
            entry.Set("bytes", words<uint8_t>(env, buffer, place.data, place.dataSize));
        } else {
            bool isSigned = column.kind == RingColumn::Kind::Signed;
            entry.Set("kind", isSigned ? "signed" : "unsigned");
            entry.Set("values", numbers(env, buffer, place, column.width, isSigned, block.rows));
        }
        columns.Set(column.name, entry);
    }
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("rows", double(block.rows));
    batch.Set("columns", columns);
    batch.Set("late", double(block.late));
    return batch;
}

/// readRing(object: BpfObject, options: RingReaderOptions): RingReader
Napi::Value readRing(const Napi::CallbackInfo &info) {
    std::shared_ptr<Object> object = ObjectHandle::from(info[0])->object;
    Napi::Object options = objectArgument(info[1], "options");
    std::string name = textArgument(options.Get("ring"), "ring");
    std::string record = textArgument(options.Get("record"), "record");
    Napi::Value second = options.Get("completion");
    std::string completion = second.IsUndefined() ? "" : textArgument(second, "completion");
    bpf_map *map = object->map(name);
    if (bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF)
        throw Failure(Code::InvalidArgument, "map " + name + " is not a ring buffer");
    if (!object->loaded())
        throw Failure(Code::InvalidArgument, "ring " + name + " is not in the kernel: load first");
    if (!options.Get("onBatch").IsFunction() || !options.Get("onError").IsFunction())
        throw Failure(Code::InvalidArgument, "onBatch and onError must be functions");
    RingPlan plan = planRing(object->types(), record, completion);
    RingThread::Options limits{
        size_t(integerOption(options, "maxRows", 1, 1 << 20, 65536)),
        uint32_t(integerOption(options, "flushMs", 1, 60000, 250)),
    };
    Napi::Object reader;
    RingHandle *handle = RingHandle::create(info.Env(), &reader);
    handle->start(info.Env(), object, bpf_map__fd(map), bpf_map__max_entries(map), std::move(plan), limits,
                  options.Get("onBatch").As<Napi::Function>(), options.Get("onError").As<Napi::Function>());
    return reader;
}

}  // namespace

void RingHandle::define(Napi::Env env) {
    Handle::define(env, {method<&RingHandle::counters>("counters"), method<&RingHandle::stop>("stop")});
}

void RingHandle::start(Napi::Env env, std::shared_ptr<Object> object, int fd, size_t size, RingPlan plan,
                       RingThread::Options options, Napi::Function onBatch, Napi::Function onError) {
    env_ = env;
    object_ = std::move(object);
    shared_ = std::make_shared<RingShared>();
    shared_->handle = this;
    shared_->onBatch = Napi::Persistent(onBatch);
    shared_->onError = Napi::Persistent(onError);
    auto *context = new std::shared_ptr<RingShared>(shared_);
    Channel channel = Channel::New(env, "sonde ring", 0, 1, context,
                                   [](Napi::Env, void *, std::shared_ptr<RingShared> *done) {
                                       (*done)->onBatch.Reset();
                                       (*done)->onError.Reset();
                                       delete done;
                                   });
    auto send = [channel](std::unique_ptr<RingMessage> message) {
        if (channel.NonBlockingCall(message.get()) != napi_ok) return false;
        message.release();
        return true;
    };
    auto deliver = [send](std::unique_ptr<ColumnBlock> block) {
        auto message = std::make_unique<RingMessage>();
        message->block = std::move(block);
        return send(std::move(message));
    };
    auto ended = [send, channel](const std::string &failure) mutable {
        auto message = std::make_unique<RingMessage>();
        message->failure = failure;
        if (send(std::move(message))) channel.Release();
    };
    try {
        thread_ = std::make_unique<RingThread>(fd, size, std::move(plan), options, deliver, ended);
    } catch (...) {
        channel.Release();
        throw;
    }
    // Runs before the channel's own, which was added earlier: a thread must not outlive what it calls.
    napi_add_env_cleanup_hook(env_, endWithEnvironment, this);
}

void RingHandle::endWithEnvironment(void *handle) {
    auto *self = static_cast<RingHandle *>(handle);
    if (self->thread_) self->shared_->handle = nullptr;
    self->thread_.reset();
}

RingHandle::~RingHandle() {
    if (!shared_) return;
    shared_->handle = nullptr;
    napi_remove_env_cleanup_hook(env_, endWithEnvironment, this);
    thread_.reset();
}

/// On the main thread: a batch, or the thread's end.
void RingHandle::deliver(Napi::Env env, RingMessage &message) {
    if (message.block) {
        size_t size = message.block->size;
        Napi::Object batch = batchOf(env, thread_->plan(), *message.block);
        thread_->taken(size);
        shared_->onBatch.Call({batch});
        return;
    }
    shared_->ended = true;
    // The mapped ring counts twice in this process's memory: it must not wait for a garbage collection.
    thread_->release();
    object_.reset();
    std::vector<Napi::Promise::Deferred> stops = std::exchange(shared_->stops, {});
    for (Napi::Promise::Deferred &deferred : stops) deferred.Resolve(env.Undefined());
    if (!stops.empty()) Unref();
    if (!message.failure.empty())
        shared_->onError.Call(
            {errorValue(env, Failure(Code::SystemError, "reading a ring ended: " + message.failure))});
}

/// counters(): { records: number; bytes: number; pending: number; cpuNanoseconds: number }
Napi::Value RingHandle::counters(const Napi::CallbackInfo &info) {
    if (!thread_) throw Failure(Code::Closed, "the ring's reader has ended");
    const RingCounters &counters = thread_->counters();
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("records", double(counters.records));
    object.Set("bytes", double(counters.bytes));
    object.Set("pending", double(thread_->pending()));
    object.Set("cpuNanoseconds", double(counters.cpuNanoseconds));
    return object;
}

/// stop(): Promise<void>
Napi::Value RingHandle::stop(const Napi::CallbackInfo &info) {
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

void addRing(Napi::Env env, Napi::Object exports) {
    RingHandle::define(env);
    addFunction(exports, "readRing", readRing);
}
