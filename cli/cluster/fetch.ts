// `kubectl sonde fetch NAME` and `open NAME`: a result's files into a folder, and its report before the reader's eyes.
// Neighbours: cli/cluster/artifact.ts (asks), cli/cluster/download.ts (writes).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAmount } from '../../results/units.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { shortPath } from '../output.ts';
import { openAccess } from './access.ts';
import type { Api } from './api.ts';
import { openerFor } from './artifact.ts';
import { download, type Fetched } from './download.ts';
import { accessFlags, oneName, readAccess, readFlags, readFolder, readFormat, wrong } from './flags.ts';
import { type JobView, readJobName, shortName, viewOf } from './job.ts';
import { getJob } from './jobs.ts';
import { yamlOf } from './print.ts';
import { endNotes, failureOf } from './words.ts';

export interface FetchOptions {
  /** Default: sonde-NAME and the first characters of the job's uid, so that a fetch that broke off finds what it has. */
  folder?: string;
  /** Only these files. */
  files?: readonly string[];
  signal: AbortSignal;
  say: (line: string) => void;
}

/** All files of a job that is complete. Throws CliError. */
export async function fetchResult(
  api: Api,
  job: JobView,
  { folder, files = [], signal, say }: FetchOptions,
): Promise<{ folder: string; files: Fetched[] }> {
  const unknown = files.find((name) => !job.artifacts.some((artifact) => artifact.name === name));
  if (unknown !== undefined) {
    const names = job.artifacts.map(({ name }) => name).join(', ');
    throw wrong(
      `${shortName(job)} has no file ${JSON.stringify(unknown.slice(0, 100))}; it has ${names}`,
      'fetch',
    );
  }
  const wanted = job.artifacts.filter(({ name }) => files.length === 0 || files.includes(name));
  if (wanted.length === 0) throw new CliError('ArtifactRefused', `${shortName(job)} has no files in a store`);
  const target = folder ?? `sonde-${job.name}-${job.uid.replace(/[^0-9a-f]/g, '').slice(0, 8)}`;
  const opener = openerFor(api, job, say);
  const fetched = await download(opener, wanted, target, { signal });
  return { folder: target, files: fetched };
}

async function fetchNamed(args: readonly string[], command: 'fetch' | 'open') {
  const flags = readFlags(
    args,
    {
      ...accessFlags,
      output: { type: 'string' },
      ...(command === 'fetch' ? { file: { type: 'string' } } : {}),
      format: { type: 'string', short: 'o' },
      json: { type: 'boolean' },
    },
    command,
  );
  const format = flags.has('json')
    ? 'json'
    : readFormat(flags.text('format'), ['json', 'yaml', 'name'], command);
  const folder = readFolder(flags.text('output'));
  const name = oneName(flags.words, command);
  const { api, namespace } = await openAccess(readAccess(flags));
  const job = viewOf(await getJob(api, readJobName(name, namespace)));
  const failure = failureOf(job);
  if (failure !== undefined) throw failure;
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  for (const note of endNotes(job)) say(note);
  const result = await fetchResult(api, job, {
    ...(folder === undefined ? {} : { folder }),
    files: flags.all('file'),
    signal: new AbortController().signal,
    say,
  });
  return { ...result, job, format, say };
}

export async function fetch(args: readonly string[]): Promise<ExitCode> {
  const { folder, files, job, format, say } = await fetchNamed(args, 'fetch');
  const about = { job: shortName(job), folder, files };
  const { stdout } = process;
  if (format === 'json') stdout.write(`${JSON.stringify(about, null, 2)}\n`);
  else if (format === 'yaml') stdout.write(await yamlOf(about));
  else if (format === 'name') stdout.write(files.map(({ path }) => `${path}\n`).join(''));
  else {
    const bytes = files.reduce((sum, file) => sum + BigInt(file.bytes), 0n);
    stdout.write(`${shortPath(folder)}\n`);
    say(
      `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${formatAmount(bytes, 'bytes')}, each as its digest says`,
    );
  }
  return 0;
}

export async function open(args: readonly string[]): Promise<ExitCode> {
  const { folder, files, job, format, say } = await fetchNamed(args, 'open');
  const report = files.find(({ name }) => name === 'report.html');
  if (report === undefined)
    throw new CliError(
      'ArtifactRefused',
      `${shortName(job)} has no report.html; its files are in ${shortPath(folder)}`,
    );
  const summary = files.find(({ name }) => name === 'summary.txt');
  if (summary !== undefined && format === undefined) say(readFileSync(summary.path, 'utf8').trimEnd());
  const opened = format === undefined && (await showInBrowser(report.path));
  const about = { job: shortName(job), folder, report: report.path };
  if (format === 'json') process.stdout.write(`${JSON.stringify(about, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(await yamlOf(about));
  else if (!opened) process.stdout.write(`${join(shortPath(folder), 'report.html')}\n`);
  else say(`opened ${join(shortPath(folder), 'report.html')}`);
  return 0;
}

/** False where there is nobody to look at it: no desktop, or stdout is not a person's. */
async function showInBrowser(path: string): Promise<boolean> {
  const { platform, env, stdout } = process;
  const desktop = platform === 'darwin' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  if (stdout.isTTY !== true || !desktop) return false;
  const child = spawn(platform === 'darwin' ? 'open' : 'xdg-open', [path], {
    detached: true,
    stdio: 'ignore',
  });
  try {
    await once(child, 'spawn');
    child.unref();
    return true;
  } catch {
    return false;
  }
}
