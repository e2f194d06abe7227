// Every error that `sonde` can end with, in one table: its exit code and what to do. docs/errors.md is generated from it (cli/errors-page.ts).
// Neighbours: cli/cluster/error-kinds.ts (a part of it); agent/errors.ts and native/errors.ts, whose reasons and codes have their rows here too.

import type { AgentReason } from '../agent/errors.ts';
import type { ResultErrorCode } from '../results/errors.ts';
import { clusterErrors } from './cluster/error-kinds.ts';

/** 0 done; 1 the job failed; 2 the input was wrong; 3 the machine, or the cluster, can't. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface ErrorKind {
  exit: Exclude<ExitCode, 0>;
  meaning: string;
  /** What to do about it. */
  advice: string;
}

const ownErrors = {
  UnknownCommand: {
    exit: 2,
    meaning: 'The first argument is no subcommand.',
    advice: 'Run `sonde help` for the list.',
  },
  BadArguments: {
    exit: 2,
    meaning: 'A flag is unknown, lacks its value, or contradicts another one.',
    advice: 'Run the subcommand with `--help`.',
  },
  FileUnreadable: {
    exit: 2,
    meaning: 'A file given with -f can not be read.',
    advice: 'Check its path and permissions; `-` reads standard input.',
  },
  InvalidJob: {
    exit: 2,
    meaning: 'The YAML is not a TraceJob; each problem is listed with line and column.',
    advice: 'Correct the listed lines; `sonde validate -f FILE` checks without tracing.',
  },
  UnknownGadget: {
    exit: 2,
    meaning: 'No gadget has this name.',
    advice: 'Run `sonde gadgets` for the list.',
  },
  NothingToTrace: {
    exit: 2,
    meaning: 'Neither a command nor a cgroup, process or container was named.',
    advice: 'Add `-- COMMAND`, `--cgroup`, `--pid` or `--container`.',
  },
  TargetNotFound: {
    exit: 2,
    meaning: 'A cgroup, process or container that was named does not exist.',
    advice: '`systemd-cgls`, `ps -e` or your container tool list what is there.',
  },
  TargetAmbiguous: {
    exit: 2,
    meaning: 'Several containers have this name or begin with this id.',
    advice: 'Give more of the id, as listed in the message.',
  },
  CommandNotFound: {
    exit: 2,
    meaning: 'The command to trace does not exist or can not be executed.',
    advice: 'Check its name and $PATH, or give its full path.',
  },
  OutputExists: {
    exit: 2,
    meaning: 'The output folder exists and is not empty; results are never mixed.',
    advice: 'Choose another folder with --output, or remove this one.',
  },
  OutputUnwritable: {
    exit: 1,
    meaning: 'The output folder can not be made or written.',
    advice: 'Choose another folder with --output; check free space and permissions.',
  },
  CommandNotStarted: {
    exit: 1,
    meaning: 'The command to trace could not be started in its cgroup.',
    advice: 'The message has the kernel’s reason.',
  },
  NoCgroup2: {
    exit: 3,
    meaning: 'No cgroup2 hierarchy is mounted, or none in which a group can be made.',
    advice:
      'Mount one: `mount -t cgroup2 none /sys/fs/cgroup/unified` (or boot with systemd.unified_cgroup_hierarchy=1).',
  },
  NoBtf: {
    exit: 3,
    meaning: 'The kernel has no BTF at /sys/kernel/btf/vmlinux.',
    advice: 'Use a kernel built with CONFIG_DEBUG_INFO_BTF=y; every distribution’s since about 2021 is.',
  },
  NodeTooOld: {
    exit: 3,
    meaning: 'This Node is older than 24.',
    advice:
      'Run it by `npx sonde` in the checkout, which brings its own Node 24, or put a newer Node first in $PATH.',
  },
  NotLinux: {
    exit: 3,
    meaning: 'This is no Linux machine.',
    advice: 'Trace on a Linux machine.',
  },
  Unexpected: {
    exit: 1,
    meaning: 'An error that nobody foresaw: a defect of Sonde.',
    advice: 'Report it with the output of `sonde doctor --json`, and with SONDE_DEBUG=1 set for the stack.',
  },
} as const satisfies Record<string, ErrorKind>;

const agentErrors = {
  HookMissing: {
    exit: 3,
    meaning: 'This kernel has none of the hooks that the gadget can use.',
    advice: 'Run `sonde doctor`: it says which gadgets work here, and what to change.',
  },
  NotPermitted: {
    exit: 3,
    meaning: 'The process may not load BPF programs.',
    advice: 'Run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.',
  },
  ProgramRejected: {
    exit: 1,
    meaning: 'The kernel’s verifier refused a program.',
    advice: 'Report it with the output of `sonde doctor --json`.',
  },
  ObjectMissing: {
    exit: 3,
    meaning: 'The gadget’s object or the addon has not been built.',
    advice: 'Run `npm run build`.',
  },
  TargetMissing: {
    exit: 2,
    meaning: 'A cgroup or process ended before its probes were attached.',
    advice: 'Start the trace while it runs, or trace the command itself: `-- COMMAND`.',
  },
  ScopeEmpty: {
    exit: 2,
    meaning: 'Nothing is in scope.',
    advice: 'Name a cgroup, a process, a container or a command.',
  },
  FilterInvalid: {
    exit: 2,
    meaning: 'The filter of packets is not one of tcpdump’s language, or does not fit the interface.',
    advice: 'The message has libpcap’s words; `tcpdump -d EXPRESSION` tries one without capturing.',
  },
  LimitExceeded: {
    exit: 2,
    meaning: 'The job asks for more than an agent allows.',
    advice: 'The message has the limit.',
  },
  SpoolFailed: {
    exit: 1,
    meaning: 'What was recorded could not be written.',
    advice: 'Free space on the disk of the output folder, or choose another with --output.',
  },
  Internal: {
    exit: 1,
    meaning: 'The agent failed in a way that nobody foresaw.',
    advice: 'Report it with the output of `sonde doctor --json`.',
  },
} as const satisfies Record<AgentReason, ErrorKind>;

const resultErrors = {
  Malformed: {
    exit: 1,
    meaning: 'A file of rows is damaged.',
    advice: 'Check the disk; the message has file and line.',
  },
  OutOfOrder: {
    exit: 1,
    meaning: 'A run’s rows are not sorted: a defect of Sonde.',
    advice: 'Report it with the output of `sonde doctor --json`.',
  },
  Mismatch: {
    exit: 2,
    meaning: 'Results of different traces can not be merged.',
    advice: 'Merge results of one trace.',
  },
  FolderExists: {
    exit: 2,
    meaning: 'The folder for the result holds something else.',
    advice: 'Choose another folder with --output, or remove this one.',
  },
  DiskFull: {
    exit: 1,
    meaning: 'The disk is full.',
    advice:
      'Free space, or choose another disk with --output; what was recorded is kept where the message says.',
  },
  WriteFailed: {
    exit: 1,
    meaning: 'A file of the result could not be written.',
    advice: 'Check the disk and permissions; what was recorded is kept where the message says.',
  },
} as const satisfies Record<ResultErrorCode, ErrorKind>;

/** By code. Codes are part of the interface: scripts read them with --json. */
export const errorKinds = { ...ownErrors, ...agentErrors, ...resultErrors, ...clusterErrors };
export type ErrorCode = keyof typeof errorKinds;

/** An error for the person at the terminal. message: what was tried, why it failed; the table adds what to do. */
export class CliError extends Error {
  override name = 'CliError';
  readonly code: ErrorCode;
  /** More specific than the table's. */
  readonly advice: string;

  constructor(code: ErrorCode, message: string, options: { advice?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.advice = options.advice ?? errorKinds[code].advice;
  }

  get exit(): Exclude<ExitCode, 0> {
    return errorKinds[this.code].exit;
  }
}

/** Anything thrown, as one of the table's errors. Errors of agent, results and the addon are told by their `reason` or `code`. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const { name, reason, code } = error as { name?: unknown; reason?: unknown; code?: unknown };
  if (name === 'AgentError' && isCode(reason)) return new CliError(reason, message, { cause: error });
  if (name === 'ResultError' && isCode(code)) return new CliError(code, message, { cause: error });
  if (name === 'NativeError') return new CliError(ofNative(code), message, { cause: error });
  if (code === 'ENOSPC' || code === 'EDQUOT') return new CliError('DiskFull', message, { cause: error });
  return new CliError('Unexpected', message, { cause: error });
}

function ofNative(code: unknown): ErrorCode {
  if (code === 'NotSupported') return 'HookMissing';
  if (code === 'PermissionDenied') return 'NotPermitted';
  if (code === 'VerifierRejected') return 'ProgramRejected';
  if (code === 'NotFound') return 'ObjectMissing';
  return 'Unexpected';
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorKinds, value);
}
