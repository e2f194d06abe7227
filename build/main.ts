// `npm run build`: everything that is compiled. Each step does nothing when its inputs have not changed.
// build/native.ts makes dist/sonde.node, build/bpf.ts dist/bpf/<arch>/<gadget>.bpf.o, build/bundle.ts the JavaScript that ships.

import { buildPackages, installPackages } from './packages.ts';
import { step } from './step.ts';

/** All steps, in order; also the first part of `npm run demo` and `npm test`. */
export async function build(): Promise<void> {
  await step('Debian packages to build with', () => installPackages(buildPackages));
  const { buildNativeLibraries, buildAddon } = await import('./native.ts');
  await step('native libraries: libbpf, libelf, zlib, blazesym (minutes when cold)', buildNativeLibraries);
  await step('native addon', buildAddon);
  const { buildPrograms } = await import('./bpf.ts');
  await step('BPF programs, x86 and arm64', buildPrograms);
  const { buildBundles } = await import('./bundle.ts');
  await step('JavaScript bundles', buildBundles);
}

if (import.meta.main) await build();
