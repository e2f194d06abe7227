// A job on 5,000 nodes: from its deadline to Complete, what the operator takes of CPU and memory. The agents are simulated, in a process of their own,
// with real gRPC and TLS on loopback; so is the API server. Neighbours: test/bench/fleet/ (the played parts), operator/ (what is measured).

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { apiVersion } from '../../../crds/trace-job.ts';
import { root } from '../../files.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { type Experiment, of, type Round, type Row, series } from '../experiment.ts';
import { type AgentsSettings, addressOf } from '../fleet/agents.ts';
import { type PlayedKubernetes, playKubernetes } from '../fleet/kubernetes.ts';
import type { OperatorProcessSettings } from '../fleet/operator.ts';
import { placeOf, stacksOfAgent } from '../fleet/stacks.ts';
import { estimate, verdict } from '../statistics.ts';
import { resident } from '../tracers.ts';
import { sleep } from '../workload.ts';

/** SONDE_FLEET: another number of agents, for work on the operator; the page is written for this one. */
const agents = Number(process.env.SONDE_FLEET ?? 5_000);
const port = 17_443;
const durationSeconds = agents > 1_000 ? 30 : 8;
const longestMs = 5 * 60_000;

async function start(file: string, settings: object, folder: string): Promise<ChildProcess> {
  const path = join(folder, `${file}.json`);
  await writeFile(path, JSON.stringify(settings), { mode: 0o600 });
  const profile = process.env.SONDE_FLEET_PROFILE;
  const options =
    profile === undefined || file !== 'operator' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return spawn(process.execPath, [...options, join(root, 'test', 'bench', 'fleet', `${file}.ts`), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await closed;
  clearTimeout(timer);
}

async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function played(): Promise<PlayedKubernetes> {
  const numbers = Array.from({ length: agents }, (_, i) => i);
  const pods = numbers.map((i) => {
    const { node, pod } = placeOf(i);
    return {
      metadata: { name: pod, namespace: 'shop', uid: `pod-${i}`, labels: { app: 'checkout' } },
      spec: { nodeName: node },
      status: {
        phase: 'Running',
        containerStatuses: ['api', 'worker'].map((name) => ({
          name,
          containerID: `containerd://${name}-${i}`,
        })),
      },
    };
  });
  const slice = {
    metadata: { name: 'sonde-agent-1', namespace: 'sonde-system' },
    ports: [{ name: 'grpc', port }],
    endpoints: numbers.map((i) => ({
      addresses: [addressOf(i)],
      nodeName: placeOf(i).node,
      conditions: { serving: true },
    })),
  };
  return playKubernetes({
    '/api/v1/pods': pods,
    '/api/v1/nodes': numbers.map((i) => ({ metadata: { name: placeOf(i).node } })),
    '/apis/discovery.k8s.io/v1/namespaces/sonde-system/endpointslices': [slice],
  });
}

/** Every agent has been connected to: the operator asks each what it has when it starts. */
async function connected(pid: number): Promise<void> {
  const deadline = Date.now() + longestMs;
  while (Date.now() < deadline) {
    const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8');
    const remote = `:${port.toString(16).toUpperCase()} 01 `;
    const open = table.split('\n').filter((line) => line.slice(20).includes(remote)).length;
    if (open >= agents) return;
    await sleep(500);
  }
  throw new Error('the operator did not connect to all agents');
}

async function oneJob(distinct: boolean, within: string): Promise<Round> {
  const folder = await mkdtemp(join(within, 'fleet-'));
  const kubernetes = await played();
  const children: ChildProcess[] = [];
  try {
    const authority = await makeAuthority();
    const paths = {
      runs: join(folder, 'runs'),
      scratch: join(folder, 'scratch'),
      data: join(folder, 'data'),
    };
    await mkdir(paths.runs);
    const agentsSettings: AgentsSettings = {
      ...{ agents, port, distinct, folder: paths.runs },
      certificates: await authority.agent(),
    };
    const fleet = await start('agents', agentsSettings, folder);
    children.push(fleet);
    const lines = createInterface({ input: fleet.stdout as NonNullable<typeof fleet.stdout> });
    for await (const line of lines) if (line === 'ready') break;
    const operatorSettings: OperatorProcessSettings = {
      ...{ server: kubernetes.server, scratch: paths.scratch, data: paths.data },
      certificates: await authority.operator(),
    };
    const operator = await start('operator', operatorSettings, folder);
    children.push(operator);
    const pid = operator.pid ?? 0;
    const given = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => given.reject(new Error(`not Complete after ${longestMs / 60_000} min`)),
      longestMs,
    );
    for (const child of children)
      child.once('exit', (code, signal) =>
        given.reject(new Error(`${child.spawnargs.at(-1)} ended: ${signal ?? code}`)),
      );
    const work = connected(pid).then(() => measured(kubernetes, pid, fleet.pid ?? 0, distinct));
    return await Promise.race([work, given.promise]).finally(() => clearTimeout(timer));
  } finally {
    for (const child of children) await ended(child);
    kubernetes.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(
  kubernetes: PlayedKubernetes,
  pid: number,
  fleet: number,
  distinct: boolean,
): Promise<Round> {
  const ends = kubernetes.until(['Complete', 'Failed']);
  const begun = kubernetes.until(['Attached']);
  kubernetes.addJob({
    apiVersion,
    kind: 'TraceJob',
    metadata: { name: 'checkout-cpu', namespace: 'shop', uid: `fleet-${distinct ? 1 : 0}`, generation: 1 },
    spec: {
      trace: { cpuProfile: {} },
      target: { selector: { matchLabels: { app: 'checkout' } } },
      duration: `${durationSeconds}s`,
    },
  } as never);
  const { status: first } = await begun;
  const deadline = Date.parse(first.startTime ?? '') + durationSeconds * 1000;
  await sleep(Math.max(0, deadline - Date.now()));
  const before = { operator: await cpuSeconds(pid), fleet: await cpuSeconds(fleet) };
  const { status, at } = await ends;
  const complete = status.conditions?.find(({ type }) => type === 'Complete');
  if (complete?.status !== 'True') throw new Error(`the job failed: ${JSON.stringify(status.conditions)}`);
  const seen = BigInt(status.events?.seen ?? 0);
  if (seen !== BigInt(agents) * BigInt(stacksOfAgent)) throw new Error(`${seen} stacks were counted`);
  return {
    seconds: (at - deadline) / 1000,
    cpu: (await cpuSeconds(pid)) - before.operator,
    fleetCpu: (await cpuSeconds(fleet)) - before.fleet,
    memory: (await resident(pid)).peak / 1024,
    failed: status.nodes?.failed ?? 0,
    succeeded: status.nodes?.succeeded ?? 0,
    bytes: (status.artifacts ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function bothJobs(within: string): Promise<Round> {
  const round: Round = {};
  for (const [name, distinct] of [
    ['same', false],
    ['distinct', true],
  ] as const) {
    const figures = await oneJob(distinct, within);
    for (const [figure, value] of Object.entries(figures)) round[`${name} ${figure}`] = value;
    console.error(name, figures);
  }
  return round;
}

function rowsOfJob(rounds: Round[], name: 'same' | 'distinct', what: string): Row[] {
  const seconds = estimate(series(rounds, (round) => of(round, `${name} seconds`)));
  const memory = estimate(series(rounds, (round) => of(round, `${name} memory`)));
  const [last] = rounds.slice(-1);
  const figure = (of_: string) => (last === undefined ? 0 : of(last, `${name} ${of_}`));
  const count = agents.toLocaleString('en-US');
  return [
    {
      what: `${count} nodes, ${what}: from the deadline to Complete`,
      limit: 'at most 60 s',
      measured: seconds,
      write: (value) => `${value.toFixed(1)} s`,
      verdict: verdict(seconds, 60, 'at most'),
      detail: `operator ${figure('cpu').toFixed(1)} s of CPU, all agents ${figure('fleetCpu').toFixed(1)} s, files of ${(figure('bytes') / 2 ** 20).toFixed(0)} MiB; ${figure('succeeded')} nodes gave their run, ${figure('failed')} did not; ${rounds.length} rounds`,
    },
    {
      what: `${count} nodes, ${what}: the operator's memory at most`,
      limit: 'at most 1,024 MiB',
      measured: memory,
      write: (value) => `${value.toFixed(0)} MiB`,
      verdict: verdict(memory, 1024, 'at most'),
      detail: '',
    },
  ];
}

export const fleet: Experiment = {
  name: 'fleet',
  rounds: 1,
  how: `One job, ${agents.toLocaleString('en-US')} simulated agents in one process on the same machine, gRPC with mutual TLS on loopback: each sends a cpu-profile of ${stacksOfAgent} stacks of about 21 frames, of 20,000 or all different, of its own two containers, all at the deadline. The store is a folder. One round.`,
  measure: ({ folder }) => bothJobs(folder),
  rows: (rounds) => [
    ...rowsOfJob(rounds, 'same', 'stacks of 20,000'),
    ...rowsOfJob(rounds, 'distinct', 'every stack distinct'),
  ],
};
