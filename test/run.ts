// `npm test`: all parts in order, each with its time; a part that fails does not stop the next. Then what was skipped and why, and the totals.
// `npm run test:kernels` (--kernels): the kernel tests on every guest kernel. Names of parts as arguments run only those.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clusterPackages, installPackages, testPackages } from '../build/packages.ts';
import { step } from '../build/step.ts';
import { goTool, goTools } from '../build/tools.ts';
import { mountTracefs } from '../build/tracefs.ts';
import { kubernetesProgram } from './cluster/kubernetes.ts';
import { reasonToExpect } from './expected-skips.ts';
import { findTests, root, runFiles, type TestKind } from './files.ts';
import { kernelSeries } from './kernels/kernels.ts';
import { runGuestPart, writeKernelTable } from './kernels/run.ts';
import { check, type Part, type PartOutcome, type PartResult, runPart } from './parts.ts';
import { describe, type FileReport, totals } from './reporter.ts';

const node = process.execPath;

const packages: Part = {
  name: 'packages',
  where: 'host',
  minutes: 10,
  run: async () => {
    await step('Debian packages to test with', () => installPackages([...testPackages, ...clusterPackages]));
    await step('tracefs, which tracepoints need', mountTracefs);
    return {};
  },
};

const build: Part = {
  name: 'build',
  where: 'host',
  minutes: 20,
  run: async (signal) => ({
    checks: [await check('build', [node, 'build/main.ts'], { cwd: root, signal, show: true })],
  }),
};

const lint: Part = { name: 'lint', where: 'host', minutes: 5, run: runLint };

async function runLint(signal: AbortSignal): Promise<PartResult> {
  const options = { cwd: root, signal };
  const bin = (name: string) => join(root, 'node_modules', '.bin', name);
  const browser = 'results/render/browser/tsconfig.json';
  const checks = [
    await check('biome', [bin('biome'), 'ci', '.'], options),
    await check('clang-format', [node, 'build/clang-format.ts', '--check'], options),
    await check('types', [bin('tsc'), '--noEmit'], options),
  ];
  if (existsSync(join(root, browser))) {
    checks.push(await check('types of browser code', [bin('tsc'), '--noEmit', '-p', browser], options));
  }
  return { checks };
}

const generated: Part = {
  name: 'generated',
  where: 'host',
  minutes: 3,
  run: async (signal) => ({
    checks: [
      await check('generated files are up to date', [node, 'build/generate.ts', '--check'], {
        cwd: root,
        signal,
      }),
    ],
  }),
};

interface Limits {
  /** Files at the same time. */
  concurrency: number;
  /** ms. */
  testLimit: number;
  fileLimit: number;
}

const usual = { testLimit: 120_000, fileLimit: 300_000 };

async function runTests(kind: TestKind, limits: Limits, signal: AbortSignal): Promise<PartResult> {
  const files = (await findTests())[kind];
  const onFile = (report: FileReport) => console.log(describe(report));
  return { reports: await runFiles(files, { ...limits, signal, onFile }) };
}

/** Unit tests share the cores; kernel tests run one at a time, since they measure times and shares of the CPU. */
function tests(name: string, kind: TestKind, concurrency: number, minutes: number): Part {
  const run = (signal: AbortSignal) => runTests(kind, { ...usual, concurrency }, signal);
  return { name, where: 'host', minutes, run };
}

/** Go programs that servers' and clusters' tests run. Not beside kernel tests, which measure times. */
const tools: Part = {
  name: 'tools',
  where: 'host',
  minutes: 25,
  run: async () => {
    for (const tool of goTools) await step(tool, async () => void (await goTool(tool)));
    await step('Kubernetes (8 minutes when cold)', async () => void (await kubernetesProgram()));
    return {};
  },
};

/** The scenarios on a real Kubernetes: our own, taken away at the end unless SONDE_KEEP_CLUSTER is set, or another, by SONDE_TEST_KUBECONFIG. */
const cluster: Part = { name: 'cluster', where: 'host', minutes: 40, run: runCluster };

async function runCluster(signal: AbortSignal): Promise<PartResult> {
  const scenarios = () =>
    runTests('cluster', { concurrency: 1, testLimit: 300_000, fileLimit: 900_000 }, signal);
  if (process.env.SONDE_TEST_KUBECONFIG !== undefined) return scenarios();
  const script = (name: string) => [node, `test/cluster/${name}.ts`] as [string, ...string[]];
  const checks = [await check('cluster:up', script('up'), { cwd: root, signal, show: true })];
  const { reports = [] } = checks[0]?.failure === undefined ? await scenarios() : {};
  if (process.env.SONDE_KEEP_CLUSTER === undefined) {
    // Also when the part has used up its time.
    const own = AbortSignal.timeout(120_000);
    checks.push(await check('cluster:down', script('down'), { cwd: root, signal: own, show: true }));
  }
  return { checks, reports };
}

const guests = kernelSeries.map(
  (series): Part => ({
    name: `guest-${series}`,
    where: series,
    minutes: 20,
    run: () => runGuestPart(series, 19 * 60_000),
  }),
);

const always = [packages, build];
const standard = [
  ...always,
  lint,
  generated,
  tests('unit', 'unit', 2, 8),
  tests('kernel', 'kernel', 1, 15),
  tests('end-to-end', 'endToEnd', 1, 12),
  ...guests.filter((part) => part.where === '6.1'),
  tools,
  tests('server', 'server', 1, 6),
  cluster,
];

/** Prints the skips with their reasons; gives those that nobody expected. */
function reviewSkips(outcomes: PartOutcome[]): string[] {
  const unexpected: string[] = [];
  const lines: string[] = [];
  for (const { part, reports = [] } of outcomes) {
    for (const { file, skips } of reports) {
      for (const skip of skips) {
        const why = reasonToExpect(part.where, file, skip.name);
        const place = part.where === 'host' ? '' : ` on ${part.where}`;
        lines.push(
          `  ${why === undefined ? '✗ unexpected' : '·'} ${file} › ${skip.name}${place}: ${skip.text}`,
        );
        if (why === undefined) unexpected.push(`${file} › ${skip.name}`);
        else lines.push(`      expected: ${why}`);
      }
    }
  }
  if (lines.length > 0) console.log(`\nSkipped:\n${lines.join('\n')}`);
  return unexpected;
}

/** Prints times and totals; gives the exit code. */
function conclude(outcomes: PartOutcome[]): number {
  const unexpected = reviewSkips(outcomes);
  const sum = totals(outcomes.flatMap((outcome) => outcome.reports ?? []));
  const checks = outcomes.flatMap((outcome) => outcome.checks ?? []);
  const broken = checks.filter((one) => one.failure !== undefined);
  console.log('\nTime of each part:');
  for (const { part, seconds } of outcomes) console.log(`  ${part.name.padEnd(12)} ${seconds.toFixed(1)} s`);
  const failures = outcomes.flatMap(({ reports = [] }) =>
    reports.filter((report) => report.failures.length > 0),
  );
  if (failures.length + broken.length > 0) console.log('\nFailed:');
  for (const one of broken) console.log(`  ${one.name}`);
  for (const { file, failures: list } of failures)
    for (const one of list) console.log(`  ${file} › ${one.name}`);
  if (unexpected.length > 0)
    console.log(`\n${unexpected.length} skips that test/expected-skips.ts does not list.`);
  const passed = sum.passed + checks.length - broken.length;
  const failed = sum.failed + broken.length;
  console.log(`\n${passed} passed, ${failed} failed, ${sum.skipped} skipped`);
  return failed + unexpected.length > 0 ? 1 : 0;
}

const wanted = process.argv.slice(2);
const kernels = wanted.includes('--kernels');
const known = kernels ? [...always, ...guests] : [...standard];
const names = wanted.filter((argument) => argument !== '--kernels');
const strange = names.filter((name) => !known.some((part) => part.name === name));
if (strange.length > 0) {
  console.error(
    `no part named ${strange.join(', ')}; there are: ${known.map((part) => part.name).join(', ')}`,
  );
  process.exit(2);
}
const outcomes: PartOutcome[] = [];
for (const part of known) {
  if (names.length === 0 || names.includes(part.name)) outcomes.push(await runPart(part));
}
if (kernels && names.length === 0) await writeKernelTable(outcomes);
process.exitCode = conclude(outcomes);
