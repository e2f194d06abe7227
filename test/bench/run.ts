// `npm run bench`: all experiments in interleaved rounds, then bench/README.md. --quick: three rounds, nothing written. Names of experiments
// as arguments run only those. Needs a machine that does nothing else.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../build/main.ts';
import { installPackages, testPackages } from '../../build/packages.ts';
import { command, step } from '../../build/step.ts';
import { mountTracefs } from '../../build/tracefs.ts';
import { root } from '../files.ts';
import type { Experiment, Round } from './experiment.ts';
import { benchPage, type Machine, type Measured } from './report.ts';
import { agent } from './rows/agent.ts';
import { coldStart } from './rows/cold-start.ts';
import { eventFlood } from './rows/event-flood.ts';
import { execCost } from './rows/exec-cost.ts';
import { fleet } from './rows/fleet.ts';
import { neighbourCost, openCost } from './rows/open-cost.ts';
import { switchCost } from './rows/switch-cost.ts';
import { inCgroup } from './workload.ts';

const all = [openCost, execCost, eventFlood, neighbourCost, switchCost, agent, coldStart, fleet];

/** Rounds of all experiments in turn, so that what changes on the machine meanwhile meets all of them. */
async function runRounds(
  experiments: Experiment[],
  rounds: number,
): Promise<Map<Experiment, Round[] | string>> {
  const measured = new Map<Experiment, Round[] | string>(experiments.map((experiment) => [experiment, []]));
  const folder = await mkdtemp(join(tmpdir(), 'sonde-bench-'));
  try {
    await inCgroup('tracers', async (tracerCgroup) => {
      for (let round = 0; round < rounds; round++) {
        for (const experiment of experiments) {
          const list = measured.get(experiment);
          if (list === undefined || typeof list === 'string') continue;
          if (round >= (experiment.rounds ?? rounds)) continue;
          try {
            await step(`round ${round + 1} of ${rounds}: ${experiment.name}`, async () => {
              list.push(await experiment.measure({ folder, tracerCgroup, round }));
            });
          } catch (error) {
            measured.set(experiment, error instanceof Error ? error.message : String(error));
          }
        }
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return measured;
}

async function machine(): Promise<Machine> {
  const versions: Record<string, string> = {};
  for (const name of ['bpftrace', 'libbpf-tools']) {
    const format = `-f=\${Version}`;
    versions[name] = (await command(['dpkg-query', '-W', format, name])).trim();
  }
  const commit = (await command(['git', 'rev-parse', '--short=12', 'HEAD'], { cwd: root })).trim();
  const model = cpus()[0]?.model ?? (await readFile('/proc/cpuinfo', 'utf8')).split('\n')[0] ?? 'unknown CPU';
  return { kernel: release(), cpu: `${cpus().length} × ${model}`, commit, versions };
}

const wanted = process.argv.slice(2);
const quick = wanted.includes('--quick');
const names = wanted.filter((argument) => argument !== '--quick');
const strange = names.filter((name) => !all.some((experiment) => experiment.name === name));
if (strange.length > 0) {
  console.error(`no experiment ${strange.join(', ')}; there are: ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
await step('Debian packages to compare with', () => installPackages(testPackages));
await step('tracefs, which tracepoints need', mountTracefs);
if (!quick) await build();
const experiments = all.filter((experiment) => names.length === 0 || names.includes(experiment.name));
const rounds = quick ? 3 : 11;
const results: Measured[] = [];
for (const [experiment, list] of await runRounds(experiments, rounds)) {
  const { name, how } = experiment;
  if (typeof list === 'string') results.push({ name, how, rows: [], failure: list });
  else results.push({ name, how, rows: experiment.rows(list) });
}
const page = benchPage(results, await machine(), rounds);
console.log(page);
if (!quick && names.length === 0) {
  await mkdir(join(root, 'bench'), { recursive: true });
  await writeFile(join(root, 'bench', 'README.md'), page);
}
if (results.some((result) => result.failure !== undefined)) process.exitCode = 1;
