// Where the gadgets' objects lie: in the checkout dist/bpf/<arch>, as shipped beside the bundle in bpf/<arch>.

import { basename, dirname, join } from 'node:path';

/** The folder of what `npm run build` made: this file's own when bundled into it, else the checkout's dist. */
const built =
  basename(import.meta.dirname) === 'dist' ? import.meta.dirname : join(dirname(import.meta.dirname), 'dist');

/** This machine's architecture as BPF objects and libbpf name it. */
export const arch = process.arch === 'x64' ? 'x86' : process.arch;

export function objectPath(trace: string): string {
  return join(built, 'bpf', arch, `${trace}.bpf.o`);
}
