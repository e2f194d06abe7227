// `sonde doctor`: what this kernel and machine can do, line by line with advice; exit 3 where `sonde run` can't work. Changes nothing.
// Neighbours: cli/machine.ts (files), native/features (the kernel), agent/attach.ts (which hook a gadget would take).

import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { findCgroup2, readMountinfo } from './cgroups.ts';
import { CliError, type ExitCode } from './errors.ts';
import { btfPath, type CapabilityName, capabilitiesIn, findTracefs, may, readText } from './machine.ts';
import { ownVersion } from './version.ts';

/** `missing` keeps `run` from working, `warn` takes something away. */
export interface Finding {
  about: string;
  state: 'ok' | 'warn' | 'missing';
  message: string;
  advice?: string;
}

export async function doctor(args: readonly string[]): Promise<ExitCode> {
  const json = readArguments(args);
  const findings = [...machineFindings(), ...(await kernelFindings())];
  const broken = findings.some(({ state }) => state === 'missing');
  if (json) {
    const about = { sonde: ownVersion(), kernel: release(), arch: process.arch, node: process.versions.node };
    process.stdout.write(`${JSON.stringify({ ...about, canRun: !broken, findings }, null, 2)}\n`);
  } else process.stdout.write(text(findings, broken));
  return broken ? 3 : 0;
}

function readArguments(args: readonly string[]): boolean {
  try {
    return parseArgs({ args: [...args], options: { json: { type: 'boolean' } } }).values.json === true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError('BadArguments', message, { advice: 'Usage: sonde doctor [--json]' });
  }
}

/** Aligned lines, advice below its line. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ about }) => about.length));
  return findings.flatMap(({ about, state, message, advice }) => [
    `${state.padEnd(7)}  ${about.padEnd(width)}  ${message}`,
    ...(advice === undefined ? [] : [`${' '.repeat(9)}${' '.repeat(width)}  → ${advice}`]),
  ]);
}

export function text(findings: readonly Finding[], broken: boolean): string {
  const end = broken ? '`sonde run` can not work here; see what is missing.' : '`sonde run` can work here.';
  return `${findingLines(findings).join('\n')}\n\n${end}\n`;
}

/** What files tell; nothing is loaded. */
function machineFindings(): Finding[] {
  const capabilities = capabilitiesIn(readText('/proc/self/status') ?? '');
  return [
    kernelVersion(release()),
    capability(capabilities, 'BPF', 'missing', 'to load programs'),
    capability(capabilities, 'PERFMON', 'missing', 'to attach them'),
    capability(
      capabilities,
      'SYS_PTRACE',
      'warn',
      "to read other users' processes: their stacks have no symbols without it",
    ),
    btf(),
    tracefs(),
    cgroup2(),
    cgroupKill(),
    unprivileged(),
    perfEvents(capabilities),
    lockedMemory(release()),
  ];
}

/** 5.10 is the oldest that is tested; 5.11 counts BPF memory in cgroups; 5.14 has cgroup.kill; 5.15 has bpf_task_pt_regs. */
export function kernelVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const about = 'kernel';
  const number = major * 1000 + minor;
  if (number >= 5015) return { about, state: 'ok', message: version };
  if (number >= 5010) {
    const message = `${version}: older than 5.15, so some gadgets use two probes where one would do`;
    return { about, state: 'warn', message, advice: 'It works; a newer kernel makes tracing cheaper.' };
  }
  return { about, state: 'missing', message: `${version} is too old`, advice: 'Use Linux 5.10 or newer.' };
}

function capability(
  capabilities: ReadonlySet<CapabilityName>,
  name: CapabilityName,
  without: 'warn' | 'missing',
  purpose: string,
): Finding {
  const about = `CAP_${name}`;
  if (may(capabilities, name)) return { about, state: 'ok', message: purpose.split(':')[0] ?? purpose };
  return {
    about,
    state: without,
    message: `not there; needed ${purpose}`,
    advice: `Run as root, or add CAP_${name}.`,
  };
}

function btf(): Finding {
  if (existsSync(btfPath)) return { about: 'BTF', state: 'ok', message: btfPath };
  const advice = "Use a kernel built with CONFIG_DEBUG_INFO_BTF=y; every distribution's since about 2021 is.";
  return { about: 'BTF', state: 'missing', message: `${btfPath} does not exist`, advice };
}

function tracefs(): Finding {
  const path = findTracefs();
  if (path !== undefined) return { about: 'tracefs', state: 'ok', message: path };
  const advice = 'mount -t tracefs tracefs /sys/kernel/tracing';
  return {
    about: 'tracefs',
    state: 'warn',
    message: 'not mounted: gadgets that use tracepoints can not attach',
    advice,
  };
}

function cgroup2(): Finding {
  const mount = findCgroup2(readMountinfo());
  if (mount) return { about: 'cgroup2', state: 'ok', message: mount.mountPoint };
  const advice = 'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified';
  const message = 'not mounted: only --pid works, no command, cgroup or container can be traced';
  return { about: 'cgroup2', state: 'missing', message, advice };
}

function cgroupKill(): Finding {
  const mount = findCgroup2(readMountinfo());
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
  const there = mount !== undefined && major * 1000 + minor >= 5014;
  const message = there
    ? 'ends a command with all its children at once'
    : 'not there: children are ended one by one';
  return { about: 'cgroup.kill', state: 'ok', message };
}

function unprivileged(): Finding {
  const value = readText('/proc/sys/kernel/unprivileged_bpf_disabled');
  const about = 'unprivileged BPF';
  if (value !== '0')
    return { about, state: 'ok', message: 'disabled, as it should be; Sonde does not need it' };
  const advice =
    'sysctl kernel.unprivileged_bpf_disabled=1 (not needed by Sonde; other users need not load programs)';
  return { about, state: 'warn', message: 'any user may load programs', advice };
}

function perfEvents(capabilities: ReadonlySet<CapabilityName>): Finding {
  const value = readText('/proc/sys/kernel/perf_event_paranoid');
  const about = 'perf events';
  if (value === undefined) {
    const advice = 'Use a kernel with CONFIG_PERF_EVENTS=y.';
    return {
      about,
      state: 'warn',
      message: 'this kernel has none: no profiles, no symbols after exit',
      advice,
    };
  }
  const restricted = Number(value) > 2 && !may(capabilities, 'PERFMON');
  const message = `perf_event_paranoid is ${value}`;
  if (!restricted) return { about, state: 'ok', message };
  return { about, state: 'warn', message, advice: 'Run as root, or with CAP_PERFMON.' };
}

/** Before 5.11 maps count against RLIMIT_MEMLOCK; after it against the memory cgroup. */
export function lockedMemory(version: string, limits = readText('/proc/self/limits') ?? ''): Finding {
  const about = 'locked memory';
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  if (major * 1000 + minor >= 5011) {
    return {
      about,
      state: 'ok',
      message: 'maps count against the memory cgroup, RLIMIT_MEMLOCK does not matter',
    };
  }
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1] ?? '0';
  if (soft === 'unlimited' || Number(soft) >= 128 << 20)
    return { about, state: 'ok', message: `RLIMIT_MEMLOCK is ${soft}` };
  const message = `RLIMIT_MEMLOCK is ${soft} bytes, and this kernel counts maps against it`;
  return { about, state: 'warn', message, advice: 'ulimit -l unlimited' };
}

/** What the kernel itself says, through the addon; where that is missing, how to make it. */
async function kernelFindings(): Promise<Finding[]> {
  const [{ native }, { loadGadgets }] = await Promise.all([
    import('../native/index.ts'),
    import('../bpf/registry.ts'),
  ]);
  try {
    const features = native.features();
    const named: [keyof typeof features, string, string][] = [
      ['ringBuffer', 'BPF ring buffer', 'Use Linux 5.8 or newer.'],
      ['rawTracepointBtf', 'typed tracepoints (tp_btf)', 'Use Linux 5.5 or newer with BTF.'],
    ];
    const found = named.map(([name, about, advice]): Finding => {
      if (features[name]) return { about, state: 'ok', message: 'there' };
      return { about, state: 'missing', message: 'not there', advice };
    });
    const optional: [keyof typeof features, string, string][] = [
      ['fentry', 'fentry', 'cheapest probes on kernel functions (CONFIG_FUNCTION_TRACER)'],
      ['kprobe', 'kprobe', 'probes on kernel functions (CONFIG_KPROBES)'],
      ['uprobeMulti', 'uprobe multi-attach', 'many user functions with one link (6.6)'],
      ['taskPtRegs', 'bpf_task_pt_regs', 'one probe per system call instead of two (5.15)'],
      ['cgroupStorage', 'cgroup storage', 'per-cgroup maps (6.2)'],
    ];
    const extras = optional.map(([name, about, purpose]): Finding => {
      if (features[name]) return { about, state: 'ok', message: `there: ${purpose}` };
      const advice = 'Nothing to do: the next best hook is taken, at a higher cost.';
      return { about, state: 'warn', message: `not there: ${purpose}`, advice };
    });
    const gadgets = await Promise.all((await loadGadgets()).map((gadget) => gadgetFinding(native, gadget)));
    return [...found, ...extras, ...gadgets];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ about: 'addon', state: 'missing', message, advice: 'npm run build' }];
  }
}

/** Whether a gadget works here, and with which hooks. */
async function gadgetFinding(
  native: Awaited<typeof import('../native/index.ts')>['native'],
  gadget: import('../bpf/gadget.ts').Gadget,
): Promise<Finding> {
  const [{ planTrace }, { choosePrograms }, { objectPath }] = await Promise.all([
    import('../bpf/plan.ts'),
    import('../agent/attach.ts'),
    import('../agent/objects.ts'),
  ]);
  const about = gadget.name;
  try {
    const object = native.openObject(objectPath(gadget.name));
    try {
      const sections = new Map(object.programs.map(({ name, section }) => [name, section]));
      const uses = choosePrograms(planTrace(gadget, {}), sections, native.supports);
      const hooks = new Set(uses.map(({ program }) => sections.get(program) ?? program));
      return { about, state: 'ok', message: `works with ${[...hooks].join(', ')}` };
    } finally {
      object.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { about, state: 'warn', message };
  }
}
