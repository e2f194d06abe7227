// The kinds of probes: one entry each, for docs/programs.md. What they are written as is judged by place-*.ts.
// Neighbours: words.ts (Provider), tenancy.ts (what namespaced jobs see there).

import type { Provider } from './words.ts';

export interface ProviderEntry {
  name: Provider;
  short: readonly string[];
  /** How it is written. */
  forms: readonly string[];
  description: string;
  /** What a namespaced job may do there. */
  pods: string;
  difference?: string;
}

const everything = 'everything';
const ownOnly =
  'arguments of syscalls, raw_syscalls, page_fault_user, sched_process_exec, _exit and _fork, signal_deliver and task_*; of others no arguments';

export const providers: readonly ProviderEntry[] = [
  {
    name: 'begin',
    short: ['BEGIN'],
    forms: ['begin'],
    description: 'Once, before all others are attached.',
    pods: 'nothing about the current task',
  },
  {
    name: 'end',
    short: ['END'],
    forms: ['end'],
    description: 'Once, after all others are detached.',
    pods: 'nothing about the current task',
  },
  {
    name: 'self',
    short: [],
    forms: ['self:signal:SIGUSR1'],
    description: 'When the tracer gets the signal.',
    pods: 'nothing about the current task',
  },
  {
    name: 'interval',
    short: ['i'],
    forms: ['interval:s:1', 'interval:ms:100', 'interval:hz:10', 'interval:1s'],
    description: 'Every so often, on one processor.',
    pods: 'nothing about the current task',
  },
  {
    name: 'profile',
    short: ['p'],
    forms: ['profile:hz:99', 'profile:ms:10'],
    description: 'Every so often, on each processor, where the task in scope runs.',
    pods: 'everything but reg()',
  },
  {
    name: 'software',
    short: ['s'],
    forms: ['software:EVENT', 'software:EVENT:COUNT'],
    description: "After so many of the kernel's own events (faults, cs, …).",
    pods: 'everything but reg()',
  },
  {
    name: 'hardware',
    short: ['h'],
    forms: ['hardware:EVENT', 'hardware:EVENT:COUNT'],
    description: 'After so many events of the processor (cycles, cache-misses, …).',
    pods: 'everything but reg()',
  },
  {
    name: 'tracepoint',
    short: ['t'],
    forms: ['tracepoint:CATEGORY:NAME'],
    description: "At a place that the kernel's authors marked; wildcards in both parts.",
    pods: ownOnly,
  },
  {
    name: 'rawtracepoint',
    short: ['rt'],
    forms: ['rawtracepoint:NAME', 'rawtracepoint:MODULE:NAME'],
    description: 'The same places, with the arguments as the kernel has them.',
    pods: 'as tracepoint',
  },
  {
    name: 'kprobe',
    short: ['k'],
    forms: ['kprobe:FUNCTION', 'kprobe:MODULE:FUNCTION', 'kprobe:FUNCTION+OFFSET'],
    description: 'At a kernel function.',
    pods: 'arguments of syscalls and vfs_*; of others no arguments',
  },
  {
    name: 'kretprobe',
    short: ['kr'],
    forms: ['kretprobe:FUNCTION'],
    description: 'When a kernel function returns.',
    pods: 'as kprobe',
  },
  {
    name: 'fentry',
    short: ['f', 'kfunc'],
    forms: ['fentry:FUNCTION', 'fentry:MODULE:FUNCTION'],
    description: 'At a kernel function, its arguments by name.',
    pods: 'as kprobe, and no pointer of the kernel is followed',
    difference: '`fentry:bpf:…` (other programs) is refused.',
  },
  {
    name: 'fexit',
    short: ['fr', 'kretfunc'],
    forms: ['fexit:FUNCTION'],
    description: 'When a kernel function returns, its arguments by name.',
    pods: 'as fentry',
  },
  {
    name: 'uprobe',
    short: ['u'],
    forms: [
      'uprobe:PATH:FUNCTION',
      'uprobe:PATH:cpp:"NAME"',
      'uprobe:PATH:FUNCTION+OFFSET',
      'uprobe:PATH:ADDRESS',
    ],
    description: 'At a function of a program or library; the path is one inside the container.',
    pods: everything,
  },
  {
    name: 'uretprobe',
    short: ['ur'],
    forms: ['uretprobe:PATH:FUNCTION'],
    description: 'When such a function returns.',
    pods: everything,
  },
  {
    name: 'usdt',
    short: ['U'],
    forms: ['usdt:PATH:PROBE', 'usdt:PATH:PROVIDER:PROBE'],
    description: "At a place that a program's authors marked.",
    pods: everything,
  },
  {
    name: 'iter',
    short: ['it'],
    forms: ['iter:task', 'iter:task_file', 'iter:task_vma', 'iter:NAME:PIN'],
    description: 'Once for each thing of a kind that the kernel has.',
    pods: 'refused',
  },
  {
    name: 'watchpoint',
    short: ['w'],
    forms: ['watchpoint:ADDRESS:LENGTH:MODE'],
    description: 'When an address is read or written.',
    pods: 'refused',
    difference: 'Only with an address; `function+argN` and asyncwatchpoint are refused.',
  },
  {
    name: 'test',
    short: [],
    forms: ['test:NAME', 'bench:NAME'],
    description: "For bpftrace's own tests.",
    pods: 'not run',
    difference: 'Read, checked for grammar and not run.',
  },
];
