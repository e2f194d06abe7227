// /proc/kallsyms: 200,000 lines, read when first asked for. Neighbour: agent/program-kernel.ts.

import { readFileSync } from 'node:fs';

export interface KernelSymbols {
  address(name: string): bigint | undefined;
  isFunction(name: string): boolean;
}

export function kernelSymbols(path = '/proc/kallsyms'): KernelSymbols {
  let text: string | undefined;
  /** `ffffffff81000000 T _text`, where it stands. */
  const find = (name: string): { address: bigint; kind: string } | undefined => {
    if (!/^[\w.$]+$/.test(name)) return undefined;
    text ??= readFileSync(path, 'latin1');
    for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
      const after = text[at + name.length + 1];
      if (after !== '\n' && after !== '\t' && after !== undefined) continue;
      const start = text.lastIndexOf('\n', at) + 1;
      const [address = '', kind = ''] = text.slice(start, at).split(' ');
      return { address: BigInt(`0x${address}`), kind };
    }
    return undefined;
  };
  return {
    address(name) {
      const found = find(name);
      // All are 0 for who may not see them.
      return found === undefined || found.address === 0n ? undefined : found.address;
    },
    isFunction: (name) => /^[tTwW]$/.test(find(name)?.kind ?? ''),
  };
}
