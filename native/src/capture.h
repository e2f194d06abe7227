// PacketReader as JavaScript sees it: a thread (capture_thread.h) and the way of its batches to the main
// thread.
#pragma once

#include <memory>
#include <vector>

#include "capture_thread.h"
#include "handle.h"

/// What the callbacks of the main thread share with the handle: whichever goes last frees it.
struct CaptureShared {
    class CaptureHandle *handle = nullptr;
    Napi::FunctionReference onBatch, onGone, onError;
    std::vector<Napi::Promise::Deferred> stops;
    bool ended = false;
};

struct CaptureMessage {
    /// A batch, or a source that is gone, or else the thread's end.
    std::unique_ptr<PacketBlock> block;
    bool gone = false;
    uint64_t container = 0;
    std::string words;
};

/// class PacketReader
class CaptureHandle : public Handle<CaptureHandle> {
  public:
    static constexpr const char *name = "PacketReader";
    static constexpr napi_type_tag tag = {0x736f6e6465000010, 1};
    explicit CaptureHandle(const Napi::CallbackInfo &info) : Handle(info) {}
    ~CaptureHandle() override;
    static void define(Napi::Env env);

    void start(Napi::Env env, CaptureThread::Options options, const Napi::Object &callbacks);
    void deliver(Napi::Env env, CaptureMessage &message);

  private:
    Napi::Value add(const Napi::CallbackInfo &info);
    Napi::Value remove(const Napi::CallbackInfo &info);
    Napi::Value dropped(const Napi::CallbackInfo &info);
    Napi::Value stop(const Napi::CallbackInfo &info);
    static void endWithEnvironment(void *handle);
    CaptureThread &thread();

    std::shared_ptr<CaptureShared> shared_;
    std::unique_ptr<CaptureThread> thread_;
    napi_env env_ = nullptr;
};

void addCapture(Napi::Env env, Napi::Object exports);
