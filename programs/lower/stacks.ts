// kstack and ustack: a stack's id in the runtime's map. Neighbour: bpf/program/program.bpf.h.

import type { Span } from '../source.ts';
import type { Type } from '../types.ts';
import type { Body } from './body.ts';
import { addressOf, clear } from './memory.ts';
import type { Value } from './place.ts';
import { CannotLower } from './shared.ts';

/** STACK_DEPTH of bpf/include/stacks.bpf.h. */
const mostFrames = 127;
const userStack = 256n; // BPF_F_USER_STACK

export function stackValue(body: Body, which: 'kstack' | 'ustack', type: Type, span: Span): Value {
  if (type.kind !== 'stack') throw new CannotLower(`${which} is no stack here`, span);
  const frames = Math.min(Math.max(1, type.limit), mostFrames);
  const room = mostFrames * 8;
  const place = body.inScratch(room, span);
  if (frames < mostFrames) clear(body, place, room);
  if (which === 'ustack') body.shared.needsMappings = true;
  const register = body.f.call(
    'program_stack',
    body.context,
    addressOf(body, place),
    body.f.constant(which === 'ustack' ? userStack : 0n),
    body.f.constant(BigInt(frames * 8)),
    body.container,
  );
  return { kind: 'scalar', register, type };
}
