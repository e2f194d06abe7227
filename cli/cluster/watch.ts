// `kubectl sonde watch NAME`: a job until it rests, then its headline and first rows. Neighbours: cli/cluster/live.ts, cli/cluster/words.ts.

import type { ExitCode } from '../errors.ts';
import { openAccess } from './access.ts';
import { accessFlags, oneName, readAccess, readFlags, readFormat } from './flags.ts';
import { fullName, readJobName, shortName, viewOf } from './job.ts';
import { followToEnd, startLive, stderrScreen } from './live.ts';
import { yamlOf } from './print.ts';
import { endNotes, failureOf } from './words.ts';

export async function watch(args: readonly string[]): Promise<ExitCode> {
  const types = {
    ...accessFlags,
    output: { type: 'string', short: 'o' },
    json: { type: 'boolean' },
  } as const;
  const flags = readFlags(args, types, 'watch');
  const format = flags.has('json')
    ? 'json'
    : readFormat(flags.text('output'), ['json', 'yaml', 'name'], 'watch');
  const name = oneName(flags.words, 'watch');
  const { api, namespace } = await openAccess(readAccess(flags));
  const ref = readJobName(name, namespace);
  const live = startLive(stderrScreen());
  let last: unknown;
  let printed: Promise<void> = Promise.resolve();
  const each = (job: unknown) => {
    last = job;
    printed = printed.then(async () => {
      if (format === 'json') process.stdout.write(`${JSON.stringify(job)}\n`);
      if (format === 'yaml') process.stdout.write(`---\n${await yamlOf(job)}`);
    });
  };
  try {
    const job = await followToEnd(api, ref, { live, each });
    live.end();
    await printed;
    const failure = failureOf(job);
    if (failure !== undefined) throw failure;
    if (format === 'name') process.stdout.write(`${fullName(viewOf(last))}\n`);
    if (format === undefined)
      process.stdout.write(`${[job.headline, ...job.summary].join('\n').trimEnd()}\n`);
    for (const note of endNotes(job)) live.say(note);
    live.say(
      `\`kubectl sonde open ${shortName(job)}${where(job.namespace, namespace, flags.text('namespace'))}\` fetches and shows the result`,
    );
    return 0;
  } finally {
    live.end();
  }
}

/** -n is repeated where the reader would need it again. */
function where(own: string | undefined, current: string, given: string | undefined): string {
  return given === undefined || own !== current ? '' : ` -n ${given}`;
}
