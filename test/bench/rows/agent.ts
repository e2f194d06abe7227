// The agent as it ships: how long a session takes to be attached, and how much memory it holds, idle and during a flood of events.

import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { SessionRequest } from '../../../agent/plan.ts';
import { planTrace } from '../../../bpf/plan.ts';
import { loadGadget } from '../../../bpf/registry.ts';
import { root } from '../../files.ts';
import { type Bench, type Experiment, of, type Round, series } from '../experiment.ts';
import { estimate, verdict } from '../statistics.ts';
import { resident } from '../tracers.ts';
import { inCgroup, sleep, started, withWorkload } from '../workload.ts';

const warmRounds = 10;
const floodSeconds = 2;

/** The agent's library in a process. */
interface Agent {
  pid: number;
  ask(line: string): Promise<Record<string, unknown>>;
  end(): Promise<void>;
}

/** Bundled as build/bundle.ts bundles: into dist, where it finds the addon and the objects beside itself. */
async function bundled(): Promise<string> {
  const outfile = join(root, 'dist', 'bench-agent.js');
  await build({
    entryPoints: [join(root, 'test', 'bench', 'agent.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    outfile,
    logLevel: 'silent',
    banner: {
      js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);",
    },
  });
  return outfile;
}

async function startAgent(bench: Bench, cgroup: string): Promise<Agent> {
  const spool = join(bench.folder, 'spool');
  await rm(spool, { recursive: true, force: true });
  await mkdir(spool);
  const request: SessionRequest = {
    job: { name: 'bench', namespace: null, uid: 'bench' },
    node: 'here',
    plan: planTrace(await loadGadget('open-files'), {}),
    targets: [{ kind: 'cgroup', path: cgroup, owner: { namespace: null, pod: null, container: 'bench' } }],
    budget: {},
    redact: 'Secrets',
    spool,
  };
  const file = join(bench.folder, 'request.json');
  await writeFile(file, JSON.stringify(request));
  const child = spawn(process.execPath, [await bundled(), file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = await started(child, 'the bundled agent');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const answer = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the bundled agent ended; its error is above');
    return JSON.parse(line.value);
  };
  await answer();
  return {
    pid,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async end() {
      child.stdin.end();
      await closed;
    },
  };
}

async function use(process: Agent, cgroup: string): Promise<Round> {
  await sleep(1000);
  const idle = (await resident(process.pid)).now / 1024;
  await process.ask('warm 1');
  const { startMs } = await process.ask(`warm ${warmRounds}`);
  const missing = await withWorkload(
    'open',
    ['/etc/passwd', 0, floodSeconds * 1000, 1],
    cgroup,
    async (workload) => {
      await process.ask('session');
      const { calls } = await workload.run();
      const { recorded } = await process.ask('stop');
      return calls - Number(recorded);
    },
  );
  const { peak } = await resident(process.pid);
  return { idle, warm: estimate(startMs as number[]).median, peak: peak / 1024, missing };
}

export const agent: Experiment = {
  name: 'agent',
  how: `The agent's library in a bundle of its own: resident memory 1 s after it has started; then ${warmRounds} sessions of open-files one after another after a first one; then one during ${floodSeconds} s of opens on one core.`,
  measure: (bench) =>
    inCgroup('agent', async (cgroup) => {
      const process = await startAgent(bench, cgroup);
      try {
        return await use(process, cgroup);
      } finally {
        await process.end();
      }
    }),
  rows(rounds) {
    const idle = estimate(series(rounds, (round) => of(round, 'idle')));
    const warm = estimate(series(rounds, (round) => of(round, 'warm')));
    const peak = estimate(series(rounds, (round) => of(round, 'peak')));
    const missing = Math.max(...series(rounds, (round) => of(round, 'missing')));
    const megabytes = (value: number) => `${value.toFixed(0)} MB`;
    return [
      {
        what: 'agent session, warm: start to attached',
        limit: '≤ 30 ms',
        measured: warm,
        write: (value) => `${value.toFixed(1)} ms`,
        verdict: verdict(warm, 30, 'at most'),
        detail: `median of ${warmRounds} sessions a round`,
      },
      {
        what: 'resident memory of the agent, idle',
        limit: '≤ 80 MB',
        measured: idle,
        write: megabytes,
        verdict: verdict(idle, 80, 'at most'),
        detail: '',
      },
      {
        what: 'resident memory of the agent at most, during a flood of events',
        limit: '≤ 150 MB',
        measured: peak,
        write: megabytes,
        verdict: verdict(peak, 150, 'at most'),
        detail: `events not recorded: ${missing}`,
      },
    ];
  },
};
