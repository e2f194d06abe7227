// Loads the addon (dist/sonde.node, made by build/native.ts from native/src) and exports it with the types of native/api.ts.
// The addon throws NativeError itself: it is given the class when it is loaded.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Native } from './api.ts';
import { NativeError } from './errors.ts';

interface Addon extends Native {
  setErrorClass(errorClass: typeof NativeError): void;
}

let loaded: Addon | undefined;

function addon(): Addon {
  if (loaded) return loaded;
  // Bundled, this file lies in dist/ beside the addon; in the source tree it lies in native/.
  const places = [join(import.meta.dirname, 'sonde.node'), join(import.meta.dirname, '../dist/sonde.node')];
  const path = places.find((place) => existsSync(place));
  if (!path)
    throw new NativeError({
      code: 'NotFound',
      message: `the native addon is missing (looked for ${places.join(' and ')}): run \`npm run build\``,
    });
  loaded = createRequire(import.meta.url)(path) as Addon;
  loaded.setErrorClass(NativeError);
  return loaded;
}

/** The addon; loaded at the first call. Throws NativeError. */
export const native: Native = {
  openObject: (...args) => addon().openObject(...args),
  openLinked: (...args) => addon().openLinked(...args),
  openKernelTypes: (...args) => addon().openKernelTypes(...args),
  elfSymbols: (...args) => addon().elfSymbols(...args),
  usdtNotes: (...args) => addon().usdtNotes(...args),
  readRing: (...args) => addon().readRing(...args),
  readPackets: (...args) => addon().readPackets(...args),
  checkPacketFilter: (...args) => addon().checkPacketFilter(...args),
  encodeJsonLines: (...args) => addon().encodeJsonLines(...args),
  openMappings: (...args) => addon().openMappings(...args),
  openSymbolizer: (...args) => addon().openSymbolizer(...args),
  spawnInCgroup: (...args) => addon().spawnInCgroup(...args),
  clocks: () => addon().clocks(),
  cpuTime: () => addon().cpuTime(),
  lookupTime: () => addon().lookupTime(),
  warmUp: () => addon().warmUp(),
  features: () => addon().features(),
  supports: (...args) => addon().supports(...args),
  held: () => addon().held(),
};
