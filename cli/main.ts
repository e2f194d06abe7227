// `sonde`, also installed as `kubectl-sonde`: the first argument picks a subcommand, whose module alone is loaded. Called `sonde`, it works on this
// machine; called `kubectl-sonde` (`kubectl sonde …`), in the cluster. What only one of them can be is the same by either name.
// Neighbours: cli/{run,gadgets,validate,doctor}.ts, cli/cluster/*, cli/errors.ts (every way to fail), cli/help.ts.

import module from 'node:module';
import { basename } from 'node:path';
import { nearestName } from '../bpf/nearest.ts';
import { escapeTerminal } from '../results/escape.ts';
import { asCliError, CliError, type ExitCode } from './errors.ts';

/** Gives an ExitCode; of a user's program what it says itself. */
type Subcommand = (args: readonly string[]) => Promise<number>;

const inCluster: Record<string, () => Promise<Subcommand>> = {
  list: async () => (await import('./cluster/list.ts')).list,
  watch: async () => (await import('./cluster/watch.ts')).watch,
  fetch: async () => (await import('./cluster/fetch.ts')).fetch,
  open: async () => (await import('./cluster/fetch.ts')).open,
  stop: async () => (await import('./cluster/stop.ts')).stop,
};

const onMachine: Record<string, () => Promise<Subcommand>> = {
  run: async () => {
    // The kernel's types are read on a thread while the longest of all modules to load is.
    const { native } = await import('../native/index.ts');
    try {
      native.warmUp();
    } catch {
      // What is wrong with the addon is said when it is needed.
    }
    return (await import('./run.ts')).run;
  },
  gadgets: async () => (await import('./gadgets.ts')).gadgets,
  validate: async () => (await import('./validate.ts')).validate,
  doctor: async () => (await import('./doctor.ts')).doctor,
  version: async () => (await import('./version.ts')).version,
};

// The launcher (build/bundle.ts) says by which name it was called; what is traced need not know.
const asPlugin = (process.env.SONDE_CALLED ?? basename(process.argv[1] ?? '')) === 'kubectl-sonde';
delete process.env.SONDE_CALLED;

const subcommands: Record<string, () => Promise<Subcommand>> = {
  ...onMachine,
  ...inCluster,
  ...(asPlugin
    ? {
        run: async () => (await import('./cluster/run.ts')).run,
        doctor: async () => (await import('./cluster/doctor.ts')).doctor,
      }
    : {}),
};

/** Everything but exiting. */
async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  const asksHelp = ['help', '--help', '-h', ''].includes(name);
  if (asksHelp || own.includes('--help') || own.includes('-h')) {
    const { help } = await import('./help.ts');
    const about = asksHelp ? rest[0] : name;
    if (about !== undefined && !Object.hasOwn(subcommands, about)) throw await unknownCommand(about);
    process.stdout.write(await help(about, asksHelp ? rest.slice(1) : own, asPlugin));
    return name === '' ? 2 : 0;
  }
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (name === '--version') return (await import('./version.ts')).version([]);
  if (subcommand === undefined) throw await unknownCommand(name);
  const start = await subcommand();
  return await start(rest);
}

async function unknownCommand(name: string): Promise<CliError> {
  const meant = nearestName(name, Object.keys(subcommands));
  const shown = escapeTerminal(name, 80);
  const { gadgetNames } = await import('../bpf/registry.ts');
  if (gadgetNames().includes(name)) {
    return new CliError('UnknownCommand', `"${shown}" is a gadget, not a command`, {
      advice: asPlugin
        ? `Write: kubectl sonde run ${shown} -l app=NAME`
        : `Write: sonde run ${shown} -- COMMAND`,
    });
  }
  return new CliError(
    'UnknownCommand',
    `unknown command "${shown}"${meant ? `; did you mean ${meant}?` : ''}`,
  );
}

/** Says what failed, why, and what to do; as JSON for scripts where --json was given. */
function report(error: unknown, json: boolean): ExitCode {
  const { code, message, advice, exit } = asCliError(error);
  process.stderr.write(`sonde: ${message}\n${advice === '' ? '' : `  ${advice}\n`}`);
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, advice } })}\n`);
  if (process.env.SONDE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exit;
}

/** --json, or as kubectl has it: -o json, -ojson, -o=json. */
function wantsJson(own: readonly string[]): boolean {
  return own.some((arg, index) => {
    if (arg === 'json') return own[index - 1] === '-o';
    return ['--json', '-ojson', '-o=json'].includes(arg);
  });
}

/** Who reads our output may stop reading (`sonde gadgets | head`): that is no error of ours. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

// Older ones lack import.meta.main: without this they would do nothing and say nothing.
const { node } = process.versions;
if (Number.parseInt(node, 10) < 24) {
  process.exit(report(new CliError('NodeTooOld', `Sonde needs Node 24 or newer; this is ${node}`), false));
}

if (import.meta.main) {
  module.enableCompileCache();
  process.stdout.on('error', ignoreBrokenPipe);
  process.stderr.on('error', ignoreBrokenPipe);
  const args = process.argv.slice(2);
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const exit = await main(args).catch((error: unknown) => report(error, wantsJson(own)));
  // Pipes, files and terminals are written synchronously on Linux: nothing is cut off here.
  process.exit(exit);
}
