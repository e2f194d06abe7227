// Attaches the probes of a compiled program, each by what its attach point says. Neighbours: programs/compiled.ts (ProbeAttach), native,
// agent/program-session.ts (begin, end and iterators run by hand there), agent/program-paths.ts.

import type {
  AttachOptions,
  BpfObject,
  FurtherAttachOptions,
  Link,
  Native,
  PerfEvent,
} from '../native/api.ts';
import { NativeError } from '../native/errors.ts';
import type { Compiled, CompiledProbe, ProbeAttach } from '../programs/compiled.ts';
import { fileOffsetOf } from './elf-offset.ts';
import { AgentError } from './errors.ts';
import { filesOf, type PathContext } from './program-paths.ts';

type Options = AttachOptions | FurtherAttachOptions;

/** Those that run without a hook of the kernel's. */
export function runsByHand({ attach }: CompiledProbe): boolean {
  return attach.kind === 'begin' || attach.kind === 'end' || attach.kind === 'iter' || attach.kind === 'self';
}

/** What is attached by one call. */
export interface AttachStep {
  program: string;
  options: Options;
  /** As the source names it, for messages; how many places it is. */
  name: string;
  places: number;
}

/** Kprobes of one program become one link where the kernel has multi-attach. Pure but for the files of uprobes.
 *  Throws AgentError HookMissing. */
export function attachSteps(
  probes: readonly CompiledProbe[],
  has: { kprobeMulti: boolean },
  paths: PathContext,
): AttachStep[] {
  const steps: AttachStep[] = [];
  const many = new Map<string, CompiledProbe[]>();
  for (const probe of probes) {
    if (runsByHand(probe)) continue;
    const { attach } = probe;
    if (
      has.kprobeMulti &&
      attach.kind === 'kprobe' &&
      attach.offset === 0 &&
      !attach.function.includes(':')
    ) {
      many.set(probe.program, [...(many.get(probe.program) ?? []), probe]);
      continue;
    }
    for (const options of optionsOf(attach, paths))
      steps.push({ program: probe.program, options, name: probe.name, places: placesOf(attach) });
  }
  for (const [program, group] of many) {
    const [first] = group;
    if (first?.attach.kind !== 'kprobe') continue;
    const functions = group.flatMap(({ attach }) => (attach.kind === 'kprobe' ? [attach.function] : []));
    const options: Options = { kind: 'kprobes', functions, return: first.attach.return };
    steps.push({ program, options, name: first.name, places: functions.length });
  }
  return steps;
}

function placesOf(attach: ProbeAttach): number {
  return attach.kind === 'uprobe' ? Math.max(1, attach.functions.length) : 1;
}

function optionsOf(attach: ProbeAttach, paths: PathContext): Options[] {
  switch (attach.kind) {
    case 'interval':
      return [{ kind: 'perfEvent', event: 'cpuClock', period: periodOf(attach.everyNs), oneCpu: true }];
    case 'profile':
      return [{ kind: 'perfEvent', event: 'cpuClock', frequencyHz: attach.frequencyHz }];
    case 'profileEvery':
      return [{ kind: 'perfEvent', event: 'cpuClock', period: periodOf(attach.everyNs) }];
    case 'software':
    case 'hardware': {
      const event = perfEvents[attach.event];
      if (event === undefined)
        throw new AgentError('HookMissing', `${attach.kind}:${attach.event} is no event that is known here`);
      return [{ kind: 'perfEvent', event, period: periodOf(attach.count) }];
    }
    case 'tracepoint':
      return [{ kind: 'tracepoint', category: attach.category, name: attach.name }];
    case 'rawTracepoint':
      return [{ kind: 'rawTracepoint', name: attach.name }];
    case 'kprobe':
      return [kprobeOf(attach)];
    case 'uprobe':
      return filesOrThrow(attach.path, paths).map((binary) => uprobeOf(binary, attach));
    case 'usdt':
      return filesOrThrow(attach.path, paths).map((binary) => ({
        kind: 'usdt',
        binary,
        provider: attach.provider,
        probe: attach.name,
      }));
    case 'watchpoint': {
      const [pid] = paths.pids;
      const { address, length, mode } = attach;
      return [{ kind: 'watchpoint', address, length, mode, ...(pid === undefined ? {} : { pid }) }];
    }
    default:
      return [{ kind: 'auto' }];
  }
}

function kprobeOf(attach: ProbeAttach & { kind: 'kprobe' }): Options {
  // The kernel finds a module's function by its own name.
  const name = attach.function.slice(attach.function.indexOf(':') + 1);
  if (attach.offset === 0) return { kind: 'kprobe', function: name, return: attach.return };
  return { kind: 'kprobe', function: name, return: false, offset: attach.offset };
}

function uprobeOf(binary: string, attach: ProbeAttach & { kind: 'uprobe' }): Options {
  const { functions, offset } = attach;
  if (functions.length === 0) {
    const place = fileOffsetOf(binary, BigInt(offset));
    if (place === undefined)
      throw new AgentError('HookMissing', `nothing of ${attach.path} is loaded at 0x${offset.toString(16)}`);
    return { kind: 'uprobe', binary, functions: [`0x${place.toString(16)}`], return: attach.return };
  }
  if (offset === 0) return { kind: 'uprobe', binary, functions, return: attach.return };
  return { kind: 'uprobe', binary, functions, return: false, offset };
}

function filesOrThrow(path: string, paths: PathContext): string[] {
  const files = filesOf(path, paths);
  if (files.length === 0)
    throw new AgentError(
      'HookMissing',
      `no file ${path}: is it inside a container? Name one with its own path`,
    );
  return files;
}

function periodOf(value: bigint): number {
  return Number(value < 1n ? 1n : value);
}

const perfEvents: Record<string, PerfEvent> = {
  'alignment-faults': 'alignmentFaults',
  'bpf-output': 'bpfOutput',
  'context-switches': 'contextSwitches',
  'cpu-clock': 'cpuClock',
  'cpu-migrations': 'cpuMigrations',
  dummy: 'dummy',
  'emulation-faults': 'emulationFaults',
  'major-faults': 'majorFaults',
  'minor-faults': 'minorFaults',
  'page-faults': 'pageFaults',
  'task-clock': 'taskClock',
  'backend-stalls': 'backendStalls',
  'branch-instructions': 'branchInstructions',
  'branch-misses': 'branchMisses',
  'bus-cycles': 'busCycles',
  'cache-misses': 'cacheMisses',
  'cache-references': 'cacheReferences',
  'cpu-cycles': 'cpuCycles',
  'frontend-stalls': 'frontendStalls',
  instructions: 'instructions',
  'ref-cycles': 'refCycles',
};

/** Attaches in the source's order. What the kernel has not is an error, a warning or nothing, as the program's config says.
 *  Links made so far are in `links` also when it throws. */
export function attachProbes(
  object: BpfObject,
  steps: readonly AttachStep[],
  missing: Compiled['config']['missingProbes'],
  links: Link[],
  warn: (message: string) => void,
): number {
  let attached = 0;
  for (const step of steps) {
    try {
      links.push(object.attach(step.program, step.options));
      attached += step.places;
    } catch (error) {
      if (!(error instanceof NativeError) || missing === 'error') throw withName(error, step);
      if (missing === 'warn') warn(`${step.name} is left out: ${error.message}`);
    }
  }
  return attached;
}

function withName(error: unknown, { name }: AttachStep): unknown {
  if (!(error instanceof NativeError)) return error;
  const reason = error.code === 'PermissionDenied' ? 'NotPermitted' : 'HookMissing';
  return new AgentError(reason, `can't attach ${name}: ${error.message}`, { cause: error });
}

/** Before load: which programs will be attached to many functions by one link. */
export function prepareMany(object: BpfObject, steps: readonly AttachStep[]): void {
  for (const { program, options } of steps) if (options.kind === 'kprobes') object.attachMany(program);
}

/** What of this kernel decides how probes are attached. Asking takes a while: only where it matters. */
export function attachFeatures(native: Native, probes: readonly CompiledProbe[]): { kprobeMulti: boolean } {
  const matters = probes.filter(({ attach }) => attach.kind === 'kprobe').length > 1;
  return { kprobeMulti: matters && native.supports('kprobe.multi') === null };
}
