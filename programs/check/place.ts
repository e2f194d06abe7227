// One concrete place that a body runs at: how to attach there and what it sees. Made by places.ts of an attach point as written, with place-kernel.ts,
// place-user.ts and place-timed.ts; check.ts groups places whose types are equal.

import type { AttachPoint } from '../ast.ts';
import type { ProbeAttach } from '../compiled.ts';
import type { Kernel } from '../kernel.ts';
import type { Diagnostic } from '../source.ts';
import type { Config, ProbeContext } from './checked.ts';
import type { Suggest } from './suggest.ts';

export interface Place {
  point: AttachPoint;
  attach: ProbeAttach;
  /** What `probe` gives. */
  name: string;
  /** What `func` gives; several: of one wildcard, attached in one call where nobody asks. */
  functions: string[];
  context: ProbeContext;
  /** Its arguments depend on a kernel that is not there: `args`, `argN` and `retval` are unknown. */
  open: boolean;
  /** The binary, of user probes. */
  path: string | null;
  /** Why a namespaced job may not see its arguments; null: it may. */
  argumentsOf: string | null;
}

export interface PlaceRequest {
  point: AttachPoint;
  kernel: Kernel | null;
  tenancy: 'pods' | 'node';
  config: Config;
  /** The arguments are looked at: places with other arguments are other places. */
  usesArguments: boolean;
  suggest: Suggest;
}

/** Places, or what is wrong with the attach point. missing: the machine doesn't have it; the setting missing_probes says what then. */
export type PlaceAnswer =
  | { places: Place[] }
  | { wrong: Pick<Diagnostic, 'message' | 'hint'>; missing?: true };

export const nothing: ProbeContext = {
  args: null,
  argN: null,
  retval: null,
  registers: false,
  space: 'kernel',
  task: true,
};

export function wrong(message: string, hint?: string): PlaceAnswer {
  return { wrong: { message, ...(hint === undefined ? {} : { hint }) } };
}

export function missing(message: string, hint?: string): PlaceAnswer {
  return { wrong: { message, ...(hint === undefined ? {} : { hint }) }, missing: true };
}

export function isGlob(name: string): boolean {
  return /[*?[]/.test(name);
}
