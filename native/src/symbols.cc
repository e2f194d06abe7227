// Symbolizer of native/api.ts: user addresses on a worker thread, kernel addresses at once. symbols_resolve.h
// does the work.

#include <algorithm>

#include "addon.h"
#include "arguments.h"
#include "handle.h"
#include "mappings.h"
#include "symbols.h"
#include "symbols_resolve.h"

namespace {

Napi::String text(Napi::Env env, const std::string &value) {
    return Napi::String::New(env, value);
}

Napi::Object frameObject(Napi::Env env, const SymbolFrame &frame, bool offsets) {
    static const char *const kinds[] = {"user", "kernel", "jit", "inlined"};
    Napi::Object out = Napi::Object::New(env);
    out["name"] = text(env, frame.name);
    out["kind"] = text(env, kinds[size_t(frame.kind)]);
    if (!frame.module.empty()) out["module"] = text(env, frame.module);
    if (!frame.file.empty()) out["file"] = text(env, frame.file);
    if (frame.line) out["line"] = double(frame.line);
    if (offsets && frame.offset >= 0) out["offset"] = double(frame.offset);
    return out;
}

/// Addresses with the same answer share its array.
Napi::Value frameArrays(Napi::Env env, const std::vector<SymbolFrames> &answers, bool offsets) {
    Napi::Array out = Napi::Array::New(env, answers.size());
    std::unordered_map<const void *, uint32_t> first;
    for (uint32_t i = 0; i < answers.size(); i++) {
        auto [known, fresh] = first.emplace(answers[i].get(), i);
        if (!fresh) {
            out[i] = Napi::Value(out[known->second]);
            continue;
        }
        Napi::HandleScope scope(env);
        Napi::Array frames = Napi::Array::New(env, answers[i]->size());
        for (uint32_t j = 0; j < answers[i]->size(); j++)
            frames[j] = frameObject(env, (*answers[i])[j], offsets);
        out[i] = frames;
    }
    return out;
}

std::vector<uint64_t> addressesArgument(const Napi::Value &value) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_biguint64_array)
        throw Failure(Code::InvalidArgument, "addresses must be a BigUint64Array");
    auto array = value.As<Napi::BigUint64Array>();
    return std::vector<uint64_t>(array.Data(), array.Data() + array.ElementLength());
}

class UserWork : public Napi::AsyncWorker {
  public:
    UserWork(Napi::Env env, std::shared_ptr<Resolver> resolver, uint32_t pid, uint64_t time,
             std::vector<uint64_t> addresses, bool offsets)
        : AsyncWorker(env, "sonde-symbols"),
          deferred(Napi::Promise::Deferred::New(env)),
          resolver_(std::move(resolver)),
          pid_(pid),
          time_(time),
          addresses_(std::move(addresses)),
          offsets_(offsets) {}

    Napi::Promise::Deferred deferred;

  protected:
    void Execute() override {
        try {
            answers_ = resolver_->user(pid_, time_, addresses_);
        } catch (const Failure &failure) {
            failure_ = std::make_unique<Failure>(failure);
        } catch (const std::bad_alloc &) {
            failure_ = std::make_unique<Failure>(Code::Exhausted, "out of memory while resolving addresses");
        }
    }
    void OnOK() override {
        if (failure_) return deferred.Reject(errorValue(Env(), *failure_));
        deferred.Resolve(frameArrays(Env(), answers_, offsets_));
    }
    void OnError(const Napi::Error &error) override { deferred.Reject(error.Value()); }

  private:
    std::shared_ptr<Resolver> resolver_;
    uint32_t pid_;
    uint64_t time_;
    std::vector<uint64_t> addresses_;
    bool offsets_;
    std::vector<SymbolFrames> answers_;
    std::unique_ptr<Failure> failure_;
};

class Symbolizer : public Handle<Symbolizer> {
  public:
    static constexpr const char *name = "Symbolizer";
    static constexpr napi_type_tag tag = {0x73796d626f6c697a, 0x9c02f4a1b6d37e58};

    explicit Symbolizer(const Napi::CallbackInfo &info) : Handle(info) {}

    static void add(Napi::Env env, Napi::Object exports) {
        define(env, {method<&Symbolizer::kernel>("kernel"), method<&Symbolizer::user>("user"),
                     method<&Symbolizer::close>("close")});
        addFunction(exports, "openSymbolizer", open);
    }

  private:
    // openSymbolizer(mappings?: Mappings, options?: { offsets?: boolean }): Symbolizer
    static Napi::Value open(const Napi::CallbackInfo &info) {
        std::shared_ptr<MappingWatch> watch;
        if (info[0].IsUndefined()) {
            watch = std::make_shared<MappingWatch>(false);
        } else {
            watch = Mappings::from(info[0])->watch;
            if (!watch) throw Failure(Code::Closed, "these mappings are closed");
        }
        Napi::Object object;
        Symbolizer *made = create(info.Env(), &object);
        made->resolver_ = std::make_shared<Resolver>(std::move(watch));
        made->offsets_ = booleanOption(info[1], "offsets");
        return object;
    }

    std::shared_ptr<Resolver> opened() const {
        if (!resolver_) throw Failure(Code::Closed, "this symbolizer is closed");
        return resolver_;
    }

    // kernel(addresses: BigUint64Array): Frame[][]
    Napi::Value kernel(const Napi::CallbackInfo &info) {
        return frameArrays(info.Env(), opened()->kernel(addressesArgument(info[0])), offsets_);
    }

    // user(pid: number, time: bigint, addresses: BigUint64Array): Promise<Frame[][]>
    Napi::Value user(const Napi::CallbackInfo &info) {
        int64_t pid = integerArgument(info[0], "pid", 1, INT32_MAX);
        if (!info[1].IsBigInt()) throw Failure(Code::InvalidArgument, "time must be a bigint");
        bool lossless;
        uint64_t time = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
        auto *work =
            new UserWork(info.Env(), opened(), uint32_t(pid), time, addressesArgument(info[2]), offsets_);
        Napi::Promise promise = work->deferred.Promise();
        work->Queue();
        return promise;
    }

    // close(): void
    Napi::Value close(const Napi::CallbackInfo &info) {
        // Freed with the last call that is under way.
        resolver_ = nullptr;
        return info.Env().Undefined();
    }

    std::shared_ptr<Resolver> resolver_;
    bool offsets_ = false;
};

}  // namespace

void addSymbols(Napi::Env env, Napi::Object exports) {
    Symbolizer::add(env, exports);
}
