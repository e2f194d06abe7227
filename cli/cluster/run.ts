// `kubectl sonde run`: writes the TraceJob, follows it, fetches its result. Neighbours: cli/cluster/manifest.ts (what is asked for),
// cli/cluster/live.ts (what is said), cli/cluster/fetch.ts; cli/run.ts is the same on one machine.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, type ExitCode } from '../errors.ts';
import { shortPath } from '../output.ts';
import { catchSignals, type Signals } from '../signals.ts';
import { type Access, openAccess } from './access.ts';
import { fetchResult } from './fetch.ts';
import { type Flags, readAccess, readFolder, readFormat, wrong } from './flags.ts';
import { fullName, type JobRef, type JobView, restOf, shortName } from './job.ts';
import { createJob, stopJob } from './jobs.ts';
import { followToEnd, type Live, startLive, stderrScreen } from './live.ts';
import { type Manifest, manifestOf, randomSuffix, readRunLine, refOf } from './manifest.ts';
import { printObject } from './print.ts';
import { endNotes, failureOf } from './words.ts';

export async function run(args: readonly string[]): Promise<ExitCode> {
  const line = await readRunLine(args);
  const { flags } = line;
  const format = readFormat(flags.text('format'), ['json', 'yaml', 'name'], 'run');
  const folder = readFolder(flags.text('output'));
  const json = flags.has('json');
  if (json && format !== undefined) throw wrong('--json is the result, -o the job: give one of them', 'run');
  const dryRun = readDryRun(flags);
  const manifest = await manifestOf(line, () => randomSuffix(randomBytes(5)));
  if (dryRun) {
    await printObject(manifest, format ?? 'yaml');
    return 0;
  }
  const access = await openAccess(readAccess(flags));
  const given = flags.text('namespace');
  const own = manifest.metadata.namespace;
  if (given !== undefined && own !== undefined && own !== given)
    throw wrong(`the file's namespace is ${own}, -n says ${given}`, 'run');
  const ref = refOf(manifest, access.namespace);
  const live = startLive(stderrScreen());
  const signals = catchSignals();
  try {
    const { job, object } = await trace(access, ref, manifest, live, signals);
    live.end();
    const failure = failureOf(job);
    if (failure !== undefined) throw failure;
    const result = await fetchResult(access.api, job, {
      ...(folder === undefined ? {} : { folder }),
      signal: new AbortController().signal,
      say: live.say,
    });
    const shown = json ? 'result.json' : 'summary.txt';
    if (format !== undefined) await printObject(object, format);
    else if (result.files.some(({ name }) => name === shown))
      process.stdout.write(`${json ? '' : '\n'}${readFileSync(join(result.folder, shown), 'utf8')}`);
    for (const note of endNotes(job)) live.say(note);
    live.say(`result: ${shortPath(result.folder)} (open ${join(shortPath(result.folder), 'report.html')})`);
    return 0;
  } finally {
    live.end();
    signals.release();
  }
}

/** kubectl's: `none` and `client`; the server's own is `kubectl apply --dry-run=server`. */
function readDryRun(flags: Flags): boolean {
  const given = flags.text('dry-run');
  if (given === undefined || given === 'none') return false;
  if (given === 'client') return true;
  throw new CliError('BadArguments', `--dry-run=${JSON.stringify(given.slice(0, 40))} is not known`, {
    advice:
      'Write --dry-run=client; for the API server’s opinion: … --dry-run=client -o yaml | kubectl apply --dry-run=server -f -',
  });
}

/** From the job's creation to its rest. */
async function trace(
  access: Access,
  ref: JobRef,
  manifest: Manifest,
  live: Live,
  signals: Signals,
): Promise<{ job: JobView; object: unknown }> {
  const { api } = access;
  const namespace = ref.namespace === undefined ? {} : { namespace: ref.namespace };
  let object: unknown = await createJob(api, ref, {
    ...manifest,
    metadata: { ...manifest.metadata, ...namespace },
  });
  const where = ref.namespace === undefined ? '' : ` in namespace ${ref.namespace}`;
  live.say(
    `${fullName(ref)} created${where}; Ctrl-C ends it early and keeps the result, twice leaves it running`,
  );
  const again = `${shortName(ref)}${ref.namespace === undefined ? '' : ` -n ${ref.namespace}`}`;
  let ended = false;
  signals.onFirst(() => {
    if (ended) return live.say(`again: quit; \`kubectl sonde fetch ${again}\` fetches the rest`);
    live.say('ending early; the result is being collected (again: leave it running by itself)');
    stopJob(api, ref).catch((error: unknown) => {
      live.say(`it could not be stopped: ${error instanceof Error ? error.message : String(error)}`);
    });
  });
  signals.onSecond(() => {
    live.end();
    const next = ended ? 'fetch' : 'watch';
    live.say(`left; \`kubectl sonde ${next} ${again}\` goes on`);
  });
  const job = await followToEnd(api, ref, {
    live,
    each: (latest) => {
      object = latest;
    },
  });
  ended = restOf(job) !== undefined;
  return { job, object };
}
