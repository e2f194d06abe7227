// The addon's door: each part adds its own exports. native/index.ts loads this and gives it the types of
// native/api.ts.

#include "addon.h"
#include "instance.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    env.SetInstanceData(new Instance);
    addErrors(env, exports);
    addCapture(env, exports);
    addFeatures(env, exports);
    addElfLists(env, exports);
    addKernelLookup(env, exports);
    addObject(env, exports);
    addMap(env, exports);
    addProcess(env, exports);
    addRing(env, exports);
    addSpawn(env, exports);
    addSpeed(env, exports);
    addJson(env, exports);
    addMappings(env, exports);
    addSymbols(env, exports);
    return exports;
}

NODE_API_MODULE(sonde, init)
