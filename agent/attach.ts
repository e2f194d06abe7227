// Chooses, loads and attaches a plan's programs: for each purpose the best way that this kernel has.
// Neighbours: bpf/gadget.ts (ProgramChoice), agent/session.ts, native.

import type { ProgramChoice, ProgramUse } from '../bpf/gadget.ts';
import type { AttachOptions, BpfObject, Link, Native } from '../native/api.ts';
import { isNotSupported, NativeError } from '../native/errors.ts';
import { AgentError } from './errors.ts';
import type { TracePlan } from './plan.ts';

export interface AttachedHook {
  program: string;
  /** As the ELF section says, e.g. "tp_btf/sched_switch". */
  hook: string;
}

export type Supports = (section: string) => string | null;

/** Which programs to attach: of every choice the first alternative whose hooks are all there.
 *  Throws AgentError HookMissing with each alternative's reason. */
export function choosePrograms(
  plan: Pick<TracePlan, 'trace' | 'programs'>,
  sections: ReadonlyMap<string, string>,
  supports: Supports,
): ProgramUse[] {
  return plan.programs.flatMap((choice) => chooseOne(plan.trace, choice, sections, supports));
}

function chooseOne(
  trace: string,
  choice: ProgramChoice,
  sections: ReadonlyMap<string, string>,
  supports: Supports,
): ProgramUse[] {
  const reasons: string[] = [];
  let unknown: string | undefined;
  for (const alternative of choice) {
    const missing = alternative.flatMap(({ program, attach }) => {
      const section = sections.get(program);
      if (section === undefined) {
        unknown = program;
        return [`its object has no program ${program}`];
      }
      const hook = hookOf(attach, section);
      // Of others (a perf event, a user's program) only attaching tells.
      const known = ['auto', 'tracepoint', 'rawTracepoint'].includes(attach?.kind ?? 'auto');
      const reason = known ? supports(hook) : null;
      return reason === null ? [] : [`${hook}: ${reason}`];
    });
    if (missing.length === 0) return alternative;
    reasons.push(...missing);
  }
  // Who wrote the plan knows another version of the gadget: no word about the kernel, which may have all that is needed.
  if (unknown !== undefined)
    throw new AgentError(
      'ObjectMissing',
      `this agent's ${trace} has no program ${unknown}: it is of another version than who ordered it. Wait until the agents are rolled out, and run the job again`,
    );
  throw new AgentError(
    'HookMissing',
    `${trace} has no hook on this kernel: ${reasons.join('; ')}. \`sonde doctor\` says what this kernel has`,
  );
}

/** Loads the object with these programs and no others; a NotSupported from a hook that looked supported is HookMissing. */
export function loadPrograms(object: BpfObject, uses: readonly ProgramUse[], trace: string): void {
  for (const { program } of uses) object.setAutoload(program, true);
  try {
    object.load();
  } catch (error) {
    throw asAgentError(error, trace);
  }
}

/** Attaches in the order given; on failure everything attached so far is detached. */
export function attachPrograms(
  object: BpfObject,
  uses: readonly ProgramUse[],
  sections: ReadonlyMap<string, string>,
  trace: string,
): { links: Link[]; hooks: AttachedHook[] } {
  const links: Link[] = [];
  const hooks: AttachedHook[] = [];
  try {
    for (const { program, attach } of uses) {
      links.push(object.attach(program, attach));
      hooks.push({ program, hook: hookOf(attach, sections.get(program) ?? program) });
    }
  } catch (error) {
    for (const link of links) link.close();
    throw asAgentError(error, trace);
  }
  return { links, hooks };
}

/** A hook in the words of an ELF section. */
export function hookOf(attach: AttachOptions | undefined, section: string): string {
  switch (attach?.kind) {
    case undefined:
    case 'auto':
      return section;
    case 'tracepoint':
      return `tracepoint/${attach.category}/${attach.name}`;
    case 'rawTracepoint':
      return `raw_tp/${attach.name}`;
    case 'kprobe':
      return `${attach.return ? 'kretprobe' : 'kprobe'}/${attach.function}`;
    case 'perfEvent':
      return `perf_event/${attach.event}@${attach.frequencyHz}Hz`;
    case 'uprobe':
      return `${attach.return ? 'uretprobe' : 'uprobe'}/${attach.binary}`;
    case 'usdt':
      return `usdt/${attach.provider}:${attach.probe}`;
  }
}

/** What the kernel or the addon said, as a reason of an agent's. */
export function asAgentError(error: unknown, trace: string): AgentError {
  if (error instanceof AgentError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (isNotSupported(error))
    return new AgentError('HookMissing', `${trace} can't run on this kernel: ${said}`, options);
  if (diskRefused(error))
    return new AgentError('SpoolFailed', `can't write what ${trace} collected: ${said}`, options);
  if (!(error instanceof NativeError)) return new AgentError('Internal', said, options);
  if (error.code === 'PermissionDenied')
    return new AgentError(
      'NotPermitted',
      `${trace} needs more rights: ${said}. Run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE`,
      options,
    );
  if (error.code === 'VerifierRejected')
    return new AgentError(
      'ProgramRejected',
      `the kernel's verifier refused ${trace}: ${said}. Please report it with the output of \`sonde doctor\``,
      options,
    );
  if (error.code === 'Exhausted')
    return new AgentError(
      'LimitExceeded',
      `${said}. Trace fewer targets at a time, or give less room`,
      options,
    );
  if (error.code === 'NotFound' || error.code === 'InvalidObject')
    return new AgentError('ObjectMissing', said, options);
  return new AgentError('Internal', said, options);
}

/** What a file system says when it can't take more. */
function diskRefused(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    typeof code === 'string' && ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'DiskFull', 'WriteFailed'].includes(code)
  );
}

/** Opens the gadget's object. Throws AgentError ObjectMissing. */
export function openGadget(native: Native, path: string, trace: string): BpfObject {
  try {
    return native.openObject(path);
  } catch (error) {
    throw asAgentError(error, trace);
  }
}
