// `kubectl sonde doctor`: whether the cluster can be reached, has Sonde, and what you may do with it in a namespace; exit 3 where `run` can't work.
// Changes nothing. Neighbours: cli/cluster/nodes.ts (what each node can trace), cli/doctor.ts (the same for one machine).

import { group, version } from '../../crds/trace-job.ts';
import { escapeTerminal } from '../../results/escape.ts';
import { type Finding, findingLines } from '../doctor.ts';
import type { ExitCode } from '../errors.ts';
import { ownVersion } from '../version.ts';
import { openAccess } from './access.ts';
import type { Api } from './api.ts';
import { accessFlags, readAccess, readFlags, readFormat, readNamespace, wrong } from './flags.ts';
import { fields, line } from './job.ts';
import { nodeFindings, readNodes } from './nodes.ts';
import { yamlOf } from './print.ts';
import { ApiRefused } from './refused.ts';

export async function doctor(args: readonly string[]): Promise<ExitCode> {
  const types = {
    ...accessFlags,
    output: { type: 'string', short: 'o' },
    json: { type: 'boolean' },
  } as const;
  const flags = readFlags(args, types, 'doctor');
  if (flags.words.length > 0) throw wrong('doctor takes no names', 'doctor');
  const format = flags.has('json') ? 'json' : readFormat(flags.text('output'), ['json', 'yaml'], 'doctor');
  const { api, namespace } = await openAccess(readAccess(flags));
  const home = readNamespace(flags.text('sonde-namespace') ?? 'sonde-system', '--sonde-namespace');
  const findings = [await serverFinding(api), await installedFinding(api)];
  const installed = findings.every(({ state }) => state === 'ok');
  const nodes = installed ? await readNodes(api, home) : [];
  if (installed) findings.push(...(await rightsFindings(api, namespace)), ...nodeFindings(nodes, home));
  const canRun = findings.every(({ state }) => state !== 'missing');
  const listed = Array.isArray(nodes) ? nodes : [];
  const about = { sonde: ownVersion(), server: api.server, namespace, canRun, findings, nodes: listed };
  const { stdout } = process;
  if (format === 'json') stdout.write(`${JSON.stringify(about, null, 2)}\n`);
  else if (format === 'yaml') stdout.write(await yamlOf(about));
  else {
    const end = canRun
      ? `\`kubectl sonde run\` can work in namespace ${namespace}.`
      : `\`kubectl sonde run\` can not work in namespace ${namespace}; see what is missing.`;
    stdout.write(`${findingLines(findings).join('\n')}\n\n${end}\n`);
  }
  return canRun ? 0 : 3;
}

/** Throws CliError where it can't be reached: nothing more can be said then. */
async function serverFinding(api: Api): Promise<Finding> {
  const { gitVersion } = fields(await api.json({ tried: 'ask for the version', path: '/version' }));
  const shown = `${escapeTerminal(api.server, 200)} answers`;
  return { about: 'API server', state: 'ok', message: `${shown}: Kubernetes ${line(gitVersion, 40)}` };
}

async function installedFinding(api: Api): Promise<Finding> {
  const about = 'Sonde';
  try {
    await api.json({ tried: 'look for TraceJobs', path: `/apis/${group}/${version}` });
    return { about, state: 'ok', message: `installed: ${group}/${version} is served` };
  } catch (error) {
    if (!(error instanceof ApiRefused && error.status === 404)) throw error;
    return { about, state: 'missing', message: 'not installed in this cluster', advice: error.advice };
  }
}

interface Right {
  about: string;
  verb: string;
  resource: string;
  /** For what it is needed. */
  why: string;
  state: 'missing' | 'warn';
  everywhere?: true;
}

const rights: Right[] = [
  { about: 'create jobs', verb: 'create', resource: 'tracejobs', why: '`run` writes one', state: 'missing' },
  {
    about: 'watch jobs',
    verb: 'watch',
    resource: 'tracejobs',
    why: '`run` and `watch` follow one',
    state: 'missing',
  },
  {
    about: 'stop jobs',
    verb: 'patch',
    resource: 'tracejobs',
    why: '`stop` and Ctrl-C end one early',
    state: 'warn',
  },
  {
    about: 'fetch results',
    verb: 'create',
    resource: 'traceartifacts',
    why: '`fetch` and `open` ask for files by one',
    state: 'missing',
  },
  {
    about: 'trace all namespaces',
    verb: 'create',
    resource: 'clustertracejobs',
    why: '`run -A` writes one',
    state: 'warn',
    everywhere: true,
  },
];

async function rightsFindings(api: Api, namespace: string): Promise<Finding[]> {
  return await Promise.all(
    rights.map(async ({ about, verb, resource, why, state, everywhere }): Promise<Finding> => {
      const where = everywhere ? 'in the cluster' : `in namespace ${namespace}`;
      const what = `${verb} ${resource}.${group} ${where}`;
      const attributes = { group, resource, verb, ...(everywhere ? {} : { namespace }) };
      const review = await api.json({
        tried: `ask whether you may ${what}`,
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: attributes },
        },
      });
      if (fields(fields(review).status).allowed === true)
        return { about, state: 'ok', message: `you may ${what}` };
      const advice = everywhere
        ? 'Only a cluster administrator gives that; jobs in a namespace do not need it.'
        : 'Ask for the ClusterRole edit in the namespace.';
      return { about, state, message: `you may not ${what}: ${why}`, advice };
    }),
  );
}
