// The kernel tests on guest kernels as parts of a test run, and docs/kernels.md from what they said. test/kernels/guest.ts boots them.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../../build/step.ts';
import { reasonToExpect } from '../expected-skips.ts';
import { findTests, root } from '../files.ts';
import type { PartOutcome, PartResult } from '../parts.ts';
import { totals } from '../reporter.ts';
import { type GuestReport, runGuest } from './guest.ts';
import { type KernelSeries, kernelSeries } from './kernels.ts';

/** A part's result, with the guest's report for the table. */
export interface GuestResult extends PartResult {
  guest: GuestReport;
}

/** What depends on the kernel: programs, maps, rings and what is built on them. Not in guests: tests of user space (results), end-to-end
 *  tests, which need the host's tools, tests that compile programs of their own, and the hundreds of rounds of the leak tests. */
const guestFiles = /^((bpf|agent|native|programs)\/|test\/programs\/(loads|kernel-functions)\.)/;
const notInGuests = /^native\/(symbols|symbols-hostile|mappings|leaks)\.kernel\.test\.ts$/;

/** Programs of these tests call bpf_loop, which came with Linux 5.17. */
const since517 = /^native\/ring\.kernel\.test\.ts$/;

/** The files that run in guests of a series. */
export async function guestTests(series: KernelSeries): Promise<string[]> {
  const { kernel } = await findTests();
  const left = (file: string) => notInGuests.test(file) || (series === '5.10' && since517.test(file));
  const files = kernel.filter((file) => guestFiles.test(file) && !left(file));
  return ['test/kernels/smoke.kernel.test.ts', ...files];
}

/** Runs them on one kernel, printing the guest's lines as they come. */
export async function runGuestPart(series: KernelSeries, limit: number): Promise<GuestResult> {
  const guest = await runGuest(series, await guestTests(series), {
    limit,
    onLine: (line) => console.log(line),
  });
  return { reports: guest.files, guest };
}

/** Writes docs/kernels.md. */
export async function writeKernelTable(outcomes: PartOutcome[]): Promise<void> {
  const guests = outcomes.flatMap((outcome) => ('guest' in outcome ? [outcome.guest as GuestReport] : []));
  const commit = (await command(['git', 'rev-parse', '--short=12', 'HEAD'], { cwd: root })).trim();
  const changed =
    (await command(['git', 'status', '--porcelain', '--untracked-files=no'], { cwd: root })).trim() !== '';
  await writeFile(join(root, 'docs', 'kernels.md'), kernelTable(guests, commit, changed));
}

/** The page: a row per kernel, then its skips and the hooks that each gadget used there. */
export function kernelTable(guests: GuestReport[], commit: string, changed: boolean): string {
  const lines = [
    '<!-- Written by `npm run test:kernels`; do not edit. -->',
    '# Kernels',
    '',
    `Every kernel test and gadget test, run in emulated guests at commit \`${commit}\`${changed ? ' with changes not yet committed' : ''}.`,
    '',
    '| kernel | passed | failed | skipped | seconds |',
    '|---|---|---|---|---|',
  ];
  const ordered = kernelSeries.flatMap((series) => guests.filter((guest) => guest.series === series));
  for (const guest of ordered) {
    const { passed, failed, skipped } = totals(guest.files);
    const again = guest.startedAgain ? ' (started twice: its emulator failed it)' : '';
    lines.push(
      `| ${guest.release}${again} | ${passed} | ${failed} | ${skipped} | ${guest.seconds.toFixed(0)} |`,
    );
  }
  lines.push('', '## What each has', '', ...featureTable(ordered));
  const hooks = hookTable(ordered);
  if (hooks.length > 0) lines.push('', '## Where each gadget attaches', '', ...hooks);
  const skips = ordered.flatMap(skipLines);
  if (skips.length > 0) lines.push('', '## Skipped, and why', '', ...skips);
  return `${lines.join('\n')}\n`;
}

function featureTable(guests: GuestReport[]): string[] {
  const names = [...new Set(guests.flatMap((guest) => Object.keys(guest.features)))].filter(
    (name) => name !== 'arch',
  );
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...guests.map((guest) => guest.series)]),
    row(['---', ...guests.map(() => '---')]),
    ...names.map((name) =>
      row([name, ...guests.map((guest) => (guest.features[name] === true ? 'yes' : 'no'))]),
    ),
  ];
}

/** By gadget and kernel: the hooks that its programs are attached to. */
function hookTable(guests: GuestReport[]): string[] {
  const gadgets = [...new Set(guests.flatMap(({ hooks }) => hooks.map(({ gadget }) => gadget)))].sort();
  if (gadgets.length === 0) return [];
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const cell = ({ hooks }: GuestReport, gadget: string) => {
    const of = hooks.find((one) => one.gadget === gadget);
    return of?.failure ?? of?.hooks.map((hook) => `\`${hook}\``).join('<br>') ?? '';
  };
  return [
    row(['gadget', ...guests.map((guest) => guest.series)]),
    row(['---', ...guests.map(() => '---')]),
    ...gadgets.map((gadget) => row([gadget, ...guests.map((guest) => cell(guest, gadget))])),
  ];
}

function skipLines(guest: GuestReport): string[] {
  return guest.files.flatMap(({ file, skips }) =>
    skips.map(({ name, text }) => {
      const why = reasonToExpect(guest.series, file, name);
      return `- ${guest.series}: ${file} › ${name}: ${text}${why === undefined ? '' : ` (${why})`}`;
    }),
  );
}
