// Which words a body uses: whether places with other names or arguments need programs of their own. Pure. Neighbour: check.ts.

import type { Probe } from '../ast.ts';

export interface Uses {
  /** `probe`, `func`: one program per place. */
  name: boolean;
  /** `args`, `argN`, `retval`, `ctx`: one per kind of arguments. */
  arguments: boolean;
}

export function usesOf({ predicate, body }: Probe): Uses {
  const words = new Set<string>();
  const waiting: unknown[] = [predicate, body];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    if ('kind' in node && node.kind === 'identifier' && 'name' in node) words.add(String(node.name));
    if ('kind' in node && node.kind === 'call' && 'function' in node) words.add(String(node.function));
    for (const child of Object.values(node))
      if (typeof child === 'object' && child !== null) waiting.push(child);
  }
  const some = (...names: string[]) => names.some((name) => words.has(name));
  return {
    name: some('probe', 'func'),
    arguments: some('args', 'ctx', 'retval', 'uaddr') || [...words].some((word) => /^arg[0-9]+$/.test(word)),
  };
}
