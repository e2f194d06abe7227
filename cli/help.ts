// Help texts, in the manner of kubectl: what it does, examples, flags. Neighbours: cli/main.ts,
// cli/cluster/help.ts (what only clusters have); a gadget's own flags come from its schema.

import { gadgetNames } from '../bpf/registry.ts';
import { findGadget } from './job.ts';
import { type Parameter, parametersOf } from './parameters.ts';

const top = `Sonde traces what processes and containers do, with eBPF.

Commands:
  run         Trace a command, process, cgroup or container
  gadgets     List what can be traced, or explain one gadget
  validate    Check TraceJob files without tracing
  doctor      Say what this kernel and machine can do, and what to change
  version     Show the version

In a cluster (the kubeconfig's; as \`kubectl sonde\`, run and doctor are the cluster's too):
  list        List jobs
  watch       Follow a job until its end
  fetch       Fetch a job's result into a folder
  open        Fetch a job's result and show its report
  stop        End a job early; it keeps what it has

Examples:
  # Which code uses the CPU?
  sonde run cpu-profile -- make

  # Which files does a running process open, for ten seconds?
  sonde run open-files --pid 1234 --duration 10s

Use "sonde help COMMAND" for a command's flags.
`;

const runHelp = `Trace a command, process, cgroup or container, and write the result to a folder.

The job is a TraceJob file, or a gadget's name with its parameters as flags. It ends with the command, at --duration,
when all targets have gone, or at Ctrl-C; the result is written in each case. A second Ctrl-C quits at once.
At --duration the command gets SIGTERM, and SIGKILL five seconds later.

Examples:
  # Profile a command from its first instruction, all its children too
  sonde run cpu-profile -- make -j2

  # Files that a process and its descendants open, for 10 seconds
  sonde run open-files --pid 1234 --duration 10s

  # A container, by the start of its id or by its name, with Docker, Podman or a Kubernetes runtime
  sonde run off-cpu-profile --container web --duration 30s

  # A systemd service, by its cgroup
  sonde run syscall-counts --cgroup system.slice/nginx.service --duration 30s

  # The same YAML that a cluster takes
  sonde run -f job.yaml --output result -- ./server

  # A program of your own, in bpftrace's language: of a command, of a process, or without either of the whole machine
  sonde run -e 'tracepoint:syscalls:sys_exit_read { @bytes[comm] = sum(args.ret); }' -- make
  sonde run script.bt PARAMETERS… --pid 42 --output result

  # For scripts: the result as JSON on stdout, behind what a command writes there
  sonde run process-exec --json --pid 1234 --duration 10s > result.json

Usage:
  sonde run GADGET [PARAMETERS] [FLAGS] [-- COMMAND ARGS…]
  sonde run -f FILE [FLAGS] [-- COMMAND ARGS…]
  sonde run -e PROGRAM [PARAMETERS…] [FLAGS] [-- COMMAND ARGS…]
  sonde run SCRIPT.bt [PARAMETERS…] [FLAGS] [-- COMMAND ARGS…]

Flags:
  -f, --file FILE         A TraceJob or ClusterTraceJob; - is standard input
  -d, --duration TIME     How long at most: 30s, 1m30s; 1s…24h. Goes before the file's
      --cgroup PATH       A cgroup and all below it: a path, or one below the cgroup2 mount. May be repeated
  -p, --pid N             A process and its descendants. May be repeated
  -c, --container ID      A container or systemd unit, by id, start of an id, or name. May be repeated
  -o, --output DIR        The folder for the result; default: sonde-NAME-TIME here
      --json              result.json on stdout at the end; errors as JSON on stderr
  -h, --help              This text; with a gadget's name, its parameters too

Of programs (docs/programs.md has the language). What a program prints goes to stdout, and without --output nowhere else:
  -e, --execute PROGRAM   The program's text
  -c, --command TEXT      The command as one text, instead of behind --; --container has no short form here
  -f, --format FORMAT     text, or json: one object a line, as bpftrace has it; the same as --json
  -q, --quiet             Say only what the program says
      --no-warnings       Errors only
  -k, --runtime-checks    Tell where helpers of the kernel fail: deletes of no key, reads of no memory
      --dry-run           Compile, and run nothing
      --NAME=VALUE        For the program's getopt("NAME")

Exit codes: 0 done; 1 the job failed; 2 the input was wrong; 3 the machine can't. A program: what exit() was given, 1 where it can't run.
`;

const others: Record<string, string> = {
  gadgets: `List the gadgets, or explain one: what it shows, its parameters, columns and hooks.

Examples:
  sonde gadgets
  sonde gadgets cpu-profile
  sonde gadgets --json

Usage:
  sonde gadgets [NAME] [--json]
`,
  validate: `Check TraceJob files without tracing. Every problem is listed with file, line and column.

Examples:
  sonde validate -f job.yaml
  sonde validate -f a.yaml -f b.yaml
  cat jobs.yaml | sonde validate -f -

Usage:
  sonde validate -f FILE… [--json]
`,
  doctor: `Say what this kernel and machine can do and what to change; nothing is changed.

Examples:
  sonde doctor
  sonde doctor --json

Usage:
  sonde doctor [--json]

Exit codes: 0 \`sonde run\` can work here; 3 it can't.
`,
  version: `Show the version.

Usage:
  sonde version [--json]
`,
};

/** The text about a subcommand; about a gadget as well where `run`'s arguments name one. */
export async function help(
  about: string | undefined,
  args: readonly string[],
  asPlugin: boolean,
): Promise<string> {
  const { clusterHelp } = await import('./cluster/help.ts');
  const own = clusterHelp(about, asPlugin);
  if (about === 'run') {
    const ofRun = own ?? runHelp;
    const names = new Set(gadgetNames());
    const name = args.find((arg) => names.has(arg));
    if (name === undefined) return ofRun;
    const gadget = await findGadget(name);
    return `${ofRun}\nParameters of ${gadget.name}:\n${parameterLines(parametersOf(gadget)).join('\n')}\n`;
  }
  return own ?? (about !== undefined && Object.hasOwn(others, about) ? others[about] : undefined) ?? top;
}

/** One line for each, aligned. */
export function parameterLines(parameters: readonly Parameter[]): string[] {
  const heads = parameters.map(({ flag, type, allowed, default: value }) => {
    if (type === 'boolean') return value === 'true' ? `--[no-]${flag}` : `--${flag}`;
    return `--${flag} ${allowed ?? (type === 'number' ? 'N' : 'TEXT')}`;
  });
  const width = Math.min(36, Math.max(0, ...heads.map((head) => head.length)));
  return parameters.map((parameter, index) => {
    const { description, default: value } = parameter;
    const known = value === undefined || ['""', 'false', '[]'].includes(value) ? '' : ` (default ${value})`;
    return `  ${(heads[index] ?? '').padEnd(width)}  ${description}${known}`;
  });
}
