// What a namespaced job may not do, because it could learn of other namespaces by it (design.md, "Tenancy"). One place for all rules; the agent asks
// the same again. Scope is tested on `current`: so hooks are safe that run for the current task, and others only as far as they tell nothing of
// the task or packet concerned. Neighbours: places.ts, identifier.ts, call.ts, access.ts.

import type { AttachPoint } from '../ast.ts';
import type { Diagnostic } from '../source.ts';
import { builtins } from './builtins.ts';
import { functions } from './functions.ts';

type Words = Pick<Diagnostic, 'message' | 'hint'>;

export const clusterJob = 'a ClusterTraceJob may do this';

function refused(what: string, why: string): Words {
  return { message: `a namespaced job may not use ${what}: ${why}`, hint: clusterJob };
}

/** Hooks that are not for namespaced jobs at all. */
export function refusedPlace({ provider, parts }: AttachPoint): Words | null {
  if (provider === 'iter') return refused('iter', 'an iterator goes over everything on the node');
  if (provider === 'watchpoint' || provider === 'asyncwatchpoint')
    return refused(provider, "an address is watched in every process, and the kernel's too");
  const isUser = provider === 'uprobe' || provider === 'uretprobe' || provider === 'usdt';
  if (isUser && parts[0]?.split('/').includes('..'))
    return refused("a path with '..'", "it could lead out of the container's files");
  return null;
}

/** Tracepoints that the current task runs into by its own doing, and whose arguments are about itself. */
const ownTracepoints: Record<string, readonly string[]> = {
  syscalls: ['*'],
  raw_syscalls: ['*'],
  exceptions: ['page_fault_user'],
  sched: ['sched_process_exec', 'sched_process_exit', 'sched_process_fork'],
  signal: ['signal_deliver'],
  task: ['task_newtask', 'task_rename'],
};

const ownRawTracepoints = new Set([
  'sys_enter',
  'sys_exit',
  ...Object.values(ownTracepoints)
    .flat()
    .filter((name) => name !== '*'),
]);

/** Entries of syscalls and what does their work on files: never run from an interrupt, where the task is current by chance. */
const ownFunctions = /^(?:__(?:x64|arm64|ia32|se|do)_sys_\w+|(?:__)?sys_\w+|ksys_\w+|do_sys_\w+|vfs_\w+)$/;

const byChance = 'it also runs in interrupts and for others, while a process of the job is current by chance';

/** Why the arguments are not the job's to see; null: they are. */
export function tracepointArguments(category: string, name: string): string | null {
  const own = ownTracepoints[category] ?? [];
  return own.includes('*') || own.includes(name) ? null : byChance;
}

export function rawTracepointArguments(name: string): string | null {
  return ownRawTracepoints.has(name) ? null : byChance;
}

export function functionArguments(name: string): string | null {
  return ownFunctions.test(name) ? null : byChance;
}

export function refusedArguments(what: string, hook: string, why: string): Words {
  return {
    message: `a namespaced job may not see ${what} of ${hook}: ${why}`,
    hint: 'counting, times and stacks are allowed there; syscalls, vfs_* and probes in programs tell arguments too',
  };
}

/** A builtin or function that is not for namespaced jobs. */
export function refusedWord(name: string, kind: 'builtin' | 'function'): Words | null {
  const word = kind === 'builtin' ? builtins.get(name) : functions.get(name);
  if (word === undefined || word.tenancy === 'pods') return null;
  return refused(kind === 'builtin' ? name : `${name}()`, word.nodeReason ?? 'it sees the node');
}

export function refusedMemory(): Words {
  return refused("the kernel's memory", 'from a kernel pointer all data of the node can be reached');
}

/** begin and end run in the agent, a timer's interrupt in any process: neither's memory is the job's. */
export function refusedMemoryOfTracer(provider: string): Words {
  return refused(
    `addresses in ${provider}`,
    'the memory there is that of the agent, or of any process of the node',
  );
}

export function refusedWith(what: string, why: string): Words {
  return refused(what, why);
}
