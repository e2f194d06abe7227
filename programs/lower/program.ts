// One program: first the scope test, whatever the source says; then its scratch, the predicate, the body. Neighbours: body.ts, bpf/program/program.bpf.h.

import type { CheckedProbe } from '../check/checked.ts';
import type { ProbeAttach } from '../compiled.ts';
import type { Kernel } from '../kernel.ts';
import { condition } from './arithmetic.ts';
import { Body } from './body.ts';
import { capturedVariables } from './loops.ts';
import type { Shared } from './shared.ts';
import { lowerBlock } from './statement.ts';

/** Writes a probe's function. */
export function lowerProgram(
  shared: Shared,
  probe: CheckedProbe,
  attach: ProbeAttach,
  name: string,
  index: number,
): void {
  const body = new Body({ shared, probe, name, index, captured: capturedVariables(probe, shared.kernel) });
  const { f } = body;
  f.span = probe.source.span;
  const leave = f.block();
  body.leave = () => f.jump(leave);
  f.emit({ op: 'context', to: body.context });
  const scoped = f.block();
  if (isScoped(probe)) {
    f.emit({ op: 'call', to: body.container, function: 'program_scope', arguments: [] });
    f.branch('eq', body.container, { value: 0n }, leave, scoped);
  } else {
    f.emit({ op: 'call', to: body.container, function: 'program_hit', arguments: [] });
    f.jump(scoped);
  }
  // Where the scratch is found: before the predicate, if that needs it, else behind it.
  const [beforePredicate, beforeBody, start] = [scoped, f.block(), f.block()];
  const predicate = f.block();
  let early = false;
  f.goto(predicate);
  if (probe.predicate !== null) {
    const wanted = probe.predicate;
    body.statement(() => condition(body, wanted, beforeBody, leave));
    early = body.room.used;
  } else f.jump(beforeBody);
  f.goto(start);
  lowerBlock(body, probe.body);
  f.jump(leave);
  f.goto(leave);
  f.return({ value: 0n });
  f.span = probe.source.span;
  f.goto(beforePredicate);
  if (body.room.used && early) body.findScratch(() => f.jump(leave));
  f.jump(predicate);
  f.goto(beforeBody);
  if (body.room.used && !early) body.findScratch(() => f.jump(leave));
  f.jump(start);
  shared.scratchSize = Math.max(shared.scratchSize, body.room.most);
  shared.functions.push(f.finish(name, sectionOf(attach, shared.kernel), 1));
}

/** Whether the probe is about the task that runs: then it must be in the scope. Iterators go over all, for who may see all. */
function isScoped(probe: CheckedProbe): boolean {
  return probe.context.task && probe.provider !== 'iter';
}

/** The ELF section, which says what kind of program it is, and of some where it goes. */
export function sectionOf(attach: ProbeAttach, kernel: Kernel): string {
  switch (attach.kind) {
    case 'begin':
    case 'end':
    case 'self':
    case 'rawTracepoint':
      return 'raw_tp';
    case 'tracepoint':
      return 'tracepoint';
    case 'iter':
      return `iter/${attach.name}`;
    case 'kprobe':
      return attach.return ? 'kretprobe' : 'kprobe';
    case 'fentry':
      return `${attach.return ? 'fexit' : 'fentry'}/${attach.function}`;
    case 'uprobe': {
      const many = attach.functions.length > 1 && kernel.supports('uprobe.multi') === null ? '.multi' : '';
      return `${attach.return ? 'uretprobe' : 'uprobe'}${many}`;
    }
    case 'usdt':
      return 'usdt';
    default:
      return 'perf_event';
  }
}

/** Its section names its place: each place needs a program of its own. */
export function hasOwnSection(attach: ProbeAttach): boolean {
  return attach.kind === 'fentry' || attach.kind === 'iter';
}
