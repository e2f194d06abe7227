// Where values are while a program runs. programs/lower/memory.ts reads and writes them.

import type { Register } from '../ir.ts';
import type { Space, Type } from '../types.ts';

/** Memory of the program's own: on the BPF stack, in its scratch (a per-CPU map), or behind a pointer (a map's value, read-only data). */
export type Place =
  | { at: 'frame'; frame: number; offset: number }
  | { at: 'scratch'; offset: number }
  | { at: 'pointer'; register: Register; offset: number };

/** Also memory that is read by helpers (remote), and the program's context. */
export type Location =
  | Place
  | { at: 'context'; offset: number }
  | { at: 'remote'; address: Register; offset: number; space: Space };

/** What an expression is: a number in a register, or bytes that lie somewhere. */
export type Value =
  | { kind: 'scalar'; register: Register; type: Type }
  | {
      kind: 'located';
      location: Location;
      type: Type /** Of a string or buffer in own memory: zeros follow its end. */;
      padded: boolean;
    }
  | { kind: 'none' };

/** Types whose values are held in a register. */
export function isScalar(type: Type): boolean {
  switch (type.kind) {
    case 'integer':
    case 'boolean':
    case 'pointer':
    case 'stack':
    case 'cgroupPath':
    case 'username':
    case 'timestamp':
      return true;
    case 'symbol':
      return type.space === 'kernel';
    default:
      return false;
  }
}

/** A place some bytes further. */
export function beyond<L extends Location>(location: L, bytes: number): L {
  return { ...location, offset: location.offset + bytes };
}
