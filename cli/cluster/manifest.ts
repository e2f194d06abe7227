// What `kubectl sonde run` asks the cluster for: a TraceJob from flags or from a file. Pure but for reading the file and the gadgets.
// Neighbours: cli/cluster/run.ts, cli/parameters.ts (a gadget's own flags), crds/trace-job.ts (the schema that it is held against).

import { parse } from 'yaml';
import type { Gadget } from '../../bpf/gadget.ts';
import { gadgetNames, loadGadgets } from '../../bpf/registry.ts';
import { readTraceJobs } from '../../crds/read.ts';
import { apiVersion, type Kind, memberName } from '../../crds/trace-job.ts';
import { escapeTerminal } from '../../results/escape.ts';
import { gadgetWord, readTokens } from '../arguments.ts';
import { CliError } from '../errors.ts';
import { findGadget, problemLines, readFileText, shownFile } from '../job.ts';
import { type GivenFlag, parametersOf, readParameters } from '../parameters.ts';
import { accessFlags, type Flags, type FlagTypes, wrong } from './flags.ts';
import type { JobRef } from './job.ts';
import { parseSelector } from './selector.ts';

const targetFlags: FlagTypes = {
  selector: { type: 'string', short: 'l' },
  containers: { type: 'string', short: 'c' },
  'max-pods': { type: 'string' },
  nodes: { type: 'string' },
};
const jobFlags: FlagTypes = {
  'all-namespaces': { type: 'boolean', short: 'A' },
  duration: { type: 'string', short: 'd' },
  store: { type: 'string' },
  budget: { type: 'string' },
  redact: { type: 'string' },
  ttl: { type: 'string' },
};

export const runFlags: FlagTypes = {
  ...accessFlags,
  ...targetFlags,
  ...jobFlags,
  file: { type: 'string', short: 'f' },
  name: { type: 'string' },
  output: { type: 'string' },
  format: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  'dry-run': { type: 'string' },
};

/** Flags of `sonde run` that make no sense in a cluster, and what to write. */
const ofOneMachine: Record<string, string> = {
  pid: 'a process',
  cgroup: 'a cgroup',
  container: 'a container of this machine',
};

export interface Manifest {
  apiVersion: string;
  kind: Kind;
  metadata: { name: string; namespace?: string };
  spec: Record<string, unknown>;
}

/** The command line of `run`: its flags, and the gadget's parameters that were given. */
export async function readRunLine(
  args: readonly string[],
): Promise<{ flags: Flags; gadget?: Gadget; parameters: GivenFlag[] }> {
  if (args.includes('--')) {
    throw new CliError('BadArguments', 'a command behind -- can be traced on this machine only', {
      advice: 'Write `sonde run GADGET -- COMMAND`; in a cluster, -l selects pods.',
    });
  }
  for (const [flag, what] of Object.entries(ofOneMachine)) {
    if (!args.some((arg) => arg === `--${flag}` || arg.startsWith(`--${flag}=`))) continue;
    throw new CliError('BadArguments', `--${flag} names ${what}; in a cluster, pods are traced`, {
      advice:
        flag === 'container'
          ? 'Write --containers for containers of the pods; or `sonde run` to trace on this machine.'
          : 'Select pods with -l; or write `sonde run` to trace on this machine.',
    });
  }
  const names = new Set(gadgetNames());
  const word = gadgetWord(args, (name) => names.has(name), runFlags);
  const gadget = word === undefined ? undefined : await findGadget(word);
  const types: FlagTypes = Object.fromEntries(
    Object.entries(runFlags).map(([name, type]) => [name, { ...type, multiple: true }]),
  );
  for (const { flag, type } of gadget === undefined ? [] : parametersOf(gadget)) {
    types[flag] ??= { type: type === 'boolean' ? 'boolean' : 'string', multiple: true };
  }
  const given = readTokens([...args], types, word, 'kubectl sonde run');
  const all = (flag: string) => given.flatMap(([name, value]) => (name === flag ? [String(value)] : []));
  return {
    flags: { text: (flag) => all(flag).at(-1), all, has: (flag) => all(flag).length > 0, words: [] },
    ...(gadget === undefined ? {} : { gadget }),
    parameters: given.filter(([name]) => !Object.hasOwn(runFlags, name)),
  };
}

/** Held against the schema: what the API server would refuse is refused here, with the nearest right word. `suffix`: makes a name unique. */
export async function manifestOf(
  line: Awaited<ReturnType<typeof readRunLine>>,
  suffix: () => string,
): Promise<Manifest> {
  const { flags, gadget, parameters } = line;
  const file = flags.text('file');
  if (file !== undefined) {
    if (gadget !== undefined)
      throw wrong(
        `both -f ${escapeTerminal(file, 200)} and the gadget ${gadget.name} say what to trace`,
        'run',
      );
    const inFile = ['name', ...Object.keys(targetFlags), ...Object.keys(jobFlags)].find((flag) =>
      flags.has(flag),
    );
    if (inFile !== undefined)
      throw wrong(`--${inFile} and -f both say what the job is; write it into the file`, 'run');
    return await manifestFromFile(file);
  }
  if (gadget === undefined) {
    throw new CliError('BadArguments', 'neither a gadget nor a file says what to trace with', {
      advice:
        'Write `kubectl sonde run cpu-profile -l app=checkout` or `kubectl sonde run -f job.yaml`; `sonde gadgets` lists the gadgets.',
    });
  }
  const cluster = flags.has('all-namespaces');
  const namespace = flags.text('namespace');
  if (cluster && namespace !== undefined) {
    throw wrong('-A traces pods of all namespaces, -n those of one: give one of them', 'run');
  }
  const manifest: Manifest = {
    apiVersion,
    kind: cluster ? 'ClusterTraceJob' : 'TraceJob',
    metadata: {
      name: flags.text('name') ?? `${gadget.name}-${suffix()}`,
      ...(namespace === undefined ? {} : { namespace }),
    },
    spec: specOf(flags, gadget, parameters),
  };
  const [document] = readTraceJobs(JSON.stringify(manifest), [gadget]);
  const problems = document?.problems.map(({ path, message }) => `${flagOf(path)}: ${message}`) ?? [];
  if (problems.length > 0) throw wrong(problems.join('\n'), 'run');
  return manifest;
}

function specOf(flags: Flags, gadget: Gadget, parameters: readonly GivenFlag[]): Record<string, unknown> {
  const read = readParameters(gadget, parameters);
  const given = new Set(parameters.map(([flag]) => flag));
  const kept = parametersOf(gadget).filter(({ flag }) => given.has(flag));
  const selector = flags.text('selector');
  const nodes = flags.text('nodes');
  const maxPods = flags.text('max-pods');
  const containers = flags.all('containers').flatMap((text) => text.split(','));
  const target = {
    ...(selector === undefined ? {} : { selector: parseSelector(selector, '--selector') }),
    ...(containers.length === 0 ? {} : { containers }),
    ...(nodes === undefined ? {} : { nodes: parseSelector(nodes, '--nodes') }),
    ...(maxPods === undefined ? {} : { maxPods: asNumber(maxPods) }),
  };
  const budget = flags.all('budget').flatMap((text) => text.split(',').map(readBudget));
  const [duration, store, redact, ttl] = ['duration', 'store', 'redact', 'ttl'].map(flags.text);
  return {
    trace: { [memberName(gadget.name)]: Object.fromEntries(kept.map(({ name }) => [name, read[name]])) },
    ...(Object.keys(target).length === 0 ? {} : { target }),
    ...(duration === undefined ? {} : { duration }),
    ...(budget.length === 0 ? {} : { budget: Object.fromEntries(budget) }),
    ...(redact === undefined ? {} : { redact }),
    ...(store === undefined ? {} : { store: { name: store } }),
    ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: asNumber(ttl) }),
  };
}

function readBudget(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  throw wrong(`--budget: "${escapeTerminal(text, 80)}" is not like cpu=20m,memory=64Mi,events=100000`, 'run');
}

/** What is no number stays text, so that the schema's error can show it. */
function asNumber(text: string): unknown {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : text;
}

const flagsByPath: [RegExp, string][] = [
  [/^metadata\.name/, '--name'],
  [/^spec\.target\.containers/, '--containers'],
  [/^spec\.target\.maxPods/, '--max-pods'],
  [/^spec\.target\.selector/, '--selector'],
  [/^spec\.target\.nodes/, '--nodes'],
  [/^spec\.duration/, '--duration'],
  [/^spec\.budget/, '--budget'],
  [/^spec\.redact/, '--redact'],
  [/^spec\.store/, '--store'],
  [/^spec\.ttlSecondsAfterFinished/, '--ttl'],
];

function flagOf(path: string): string {
  return flagsByPath.find(([form]) => form.test(path))?.[1] ?? path;
}

async function manifestFromFile(file: string): Promise<Manifest> {
  const text = await readFileText(file);
  const documents = readTraceJobs(text, await loadGadgets());
  const problems = documents.flatMap((document) => document.problems);
  if (problems.length > 0) throw new CliError('InvalidJob', problemLines(file, problems).join('\n'));
  if (documents.length > 1) {
    throw new CliError('InvalidJob', `${shownFile(file)} holds ${documents.length} jobs; \`run\` takes one`, {
      advice: '`kubectl apply -f` creates them all; `kubectl sonde watch NAME` follows one.',
    });
  }
  // As it was written: the API server fills in what is not there.
  return parse(text) as Manifest;
}

/** Where the job is to be. */
export function refOf({ kind, metadata }: Manifest, namespace: string): JobRef {
  if (kind === 'ClusterTraceJob') return { kind, name: metadata.name };
  return { kind, name: metadata.name, namespace: metadata.namespace ?? namespace };
}

/** Five characters of Kubernetes' own alphabet for generated names: no vowels, so no words. */
export function randomSuffix(bytes: Uint8Array): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
}
