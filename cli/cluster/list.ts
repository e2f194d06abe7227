// `kubectl sonde list`: the jobs of a namespace or of all, with the columns of `kubectl get tracejobs`. Neighbours: cli/cluster/jobs.ts, cli/cluster/print.ts.

import type { ExitCode } from '../errors.ts';
import { openAccess } from './access.ts';
import { accessFlags, readAccess, readFlags, readFormat, wrong } from './flags.ts';
import { fullName, viewOf } from './job.ts';
import { listJobs } from './jobs.ts';
import { jobTable, yamlOf } from './print.ts';
import { ApiRefused } from './refused.ts';

export async function list(args: readonly string[]): Promise<ExitCode> {
  const flags = readFlags(
    args,
    {
      ...accessFlags,
      'all-namespaces': { type: 'boolean', short: 'A' },
      selector: { type: 'string', short: 'l' },
      output: { type: 'string', short: 'o' },
      'no-headers': { type: 'boolean' },
      json: { type: 'boolean' },
    },
    'list',
  );
  if (flags.words.length > 0)
    throw wrong('list takes no names; `kubectl sonde watch NAME` shows one job', 'list');
  const format = flags.has('json')
    ? 'json'
    : readFormat(flags.text('output'), ['json', 'yaml', 'name', 'wide'], 'list');
  const all = flags.has('all-namespaces');
  const selector = flags.text('selector');
  const { api, namespace } = await openAccess(readAccess(flags));
  const jobs = await listJobs(api, 'TraceJob', all ? undefined : namespace, selector);
  // Jobs of the cluster show where all is asked for; who may not see them still sees the others.
  const ofCluster = all
    ? await listJobs(api, 'ClusterTraceJob', undefined, selector).catch((error: unknown) => {
        if (error instanceof ApiRefused && error.code === 'Forbidden') return [];
        throw error;
      })
    : [];
  const found = [...jobs, ...ofCluster];
  const { stdout, stderr } = process;
  if (format === 'json' || format === 'yaml') {
    const list = { apiVersion: 'v1', kind: 'List', metadata: {}, items: found };
    stdout.write(format === 'json' ? `${JSON.stringify(list, null, 2)}\n` : await yamlOf(list));
    return 0;
  }
  const views = found.map(viewOf);
  if (format === 'name') stdout.write(views.map((job) => `${fullName(job)}\n`).join(''));
  else if (views.length === 0) stderr.write(`No jobs found${all ? '' : ` in namespace ${namespace}`}.\n`);
  else {
    const options = {
      now: Date.now(),
      namespaces: all,
      wide: format === 'wide',
      headers: !flags.has('no-headers'),
    };
    stdout.write(jobTable(views, options));
  }
  return 0;
}
