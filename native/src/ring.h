// RingReader as JavaScript sees it: a thread (ring_thread.h) and the way of its batches to the main thread.
#pragma once

#include <memory>
#include <vector>

#include "object.h"
#include "ring_thread.h"

/// What the callbacks of the main thread share with the handle: whichever goes last frees it.
struct RingShared {
    class RingHandle *handle = nullptr;
    Napi::FunctionReference onBatch, onError;
    std::vector<Napi::Promise::Deferred> stops;
    bool ended = false;
};

struct RingMessage {
    std::unique_ptr<ColumnBlock> block;
    std::string failure;
};

/// class RingReader
class RingHandle : public Handle<RingHandle> {
  public:
    static constexpr const char *name = "RingReader";
    static constexpr napi_type_tag tag = {0x736f6e6465000004, 1};
    explicit RingHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    ~RingHandle() override;
    static void define(Napi::Env env);

    void start(Napi::Env env, std::shared_ptr<Object> object, int fd, size_t size, RingPlan plan,
               RingThread::Options options, Napi::Function onBatch, Napi::Function onError);
    void deliver(Napi::Env env, RingMessage &message);

  private:
    Napi::Value counters(const Napi::CallbackInfo &info);
    Napi::Value stop(const Napi::CallbackInfo &info);
    static void endWithEnvironment(void *handle);

    std::shared_ptr<RingShared> shared_;
    std::shared_ptr<Object> object_;
    std::unique_ptr<RingThread> thread_;
    napi_env env_ = nullptr;
};

void addRing(Napi::Env env, Napi::Object exports);
