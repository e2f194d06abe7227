// `kubectl sonde stop NAME`: ends a job early; it keeps what it has. Neighbour: cli/cluster/jobs.ts.

import type { ExitCode } from '../errors.ts';
import { openAccess } from './access.ts';
import { accessFlags, oneName, readAccess, readFlags, readFormat } from './flags.ts';
import { fullName, readJobName, restOf, viewOf } from './job.ts';
import { getJob, stopJob } from './jobs.ts';
import { printObject } from './print.ts';

export async function stop(args: readonly string[]): Promise<ExitCode> {
  const types = {
    ...accessFlags,
    output: { type: 'string', short: 'o' },
    json: { type: 'boolean' },
  } as const;
  const flags = readFlags(args, types, 'stop');
  const format = flags.has('json')
    ? 'json'
    : readFormat(flags.text('output'), ['json', 'yaml', 'name'], 'stop');
  const name = oneName(flags.words, 'stop');
  const { api, namespace } = await openAccess(readAccess(flags));
  const ref = readJobName(name, namespace);
  const before = await getJob(api, ref);
  const rest = restOf(viewOf(before));
  const ended = rest === 'Complete' || rest === 'Failed';
  const object = ended ? before : await stopJob(api, ref);
  if (format === undefined)
    process.stdout.write(`${fullName(ref)} ${ended ? 'had ended already' : 'stopped'}\n`);
  await printObject(object, format);
  return 0;
}
