// Turns node:test's events into one report per file, and reports into lines a person reads. Neighbours: test/files.ts runs the files,
// test/run.ts prints, test/kernels/inside.ts does both in a guest.

import type { run } from 'node:test';
import { inspect } from 'node:util';

type Events = ReturnType<typeof run>;

export interface TestRemark {
  /** The names of the suites and tests around it, then its own. */
  name: string;
  text: string;
}

/** What one test file said. Tests with failed subtests count by their subtests. */
export interface FileReport {
  file: string;
  passed: number;
  failures: TestRemark[];
  /** Skipped, with the reason given. */
  skips: TestRemark[];
  diagnostics: string[];
  /** The end of what the file wrote to stdout and stderr. */
  output: string;
  milliseconds: number;
}

/** Totals over files. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Reads the events of one file to their end. */
export async function collect(events: Events, file: string): Promise<FileReport> {
  const start = performance.now();
  const report: FileReport = {
    file,
    passed: 0,
    failures: [],
    skips: [],
    diagnostics: [],
    output: '',
    milliseconds: 0,
  };
  const open: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:start') {
      open.length = event.data.nesting;
      open.push(event.data.name);
    } else if (event.type === 'test:pass') {
      const name = [...open.slice(0, event.data.nesting), event.data.name].join(' › ');
      if (event.data.skip !== undefined && event.data.skip !== false) {
        report.skips.push({ name, text: String(event.data.skip) });
      } else if (event.data.todo !== undefined && event.data.todo !== false) {
        report.skips.push({ name, text: `todo: ${event.data.todo}` });
      } else if (event.data.details.type !== 'suite' && event.data.name !== file) {
        report.passed++;
      }
    } else if (event.type === 'test:fail') {
      const failure = failureOf(event.data.details.error, event.data.name === file);
      if (failure === undefined) continue;
      const names =
        event.data.name === file ? ['the file'] : [...open.slice(0, event.data.nesting), event.data.name];
      report.failures.push({ name: names.join(' › '), text: failure });
    } else if (event.type === 'test:diagnostic') {
      if ('file' in event.data) report.diagnostics.push(event.data.message);
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      report.output = (report.output + event.data.message).slice(-6000);
    }
  }
  report.milliseconds = performance.now() - start;
  return report;
}

/** The words of a failure; none for a parent that failed only because of its subtests, which have said so themselves. */
function failureOf(
  error: Error & { failureType?: string; exitCode?: number; signal?: string },
  wholeFile: boolean,
): string | undefined {
  if (error.failureType === 'subtestsFailed') return undefined;
  if (wholeFile && error.failureType === 'testAborted') return 'took longer than a file may, and was ended';
  if (wholeFile) {
    const how = error.signal ?? error.exitCode ?? 'an error';
    return `ended with ${how} outside its tests (its output is below)`;
  }
  const cause = error.cause ?? error;
  return cause instanceof Error ? (cause.stack ?? inspect(cause)) + details(cause) : inspect(cause);
}

/** What typed errors carry besides their message: codes, the verifier's log. */
function details(error: Error): string {
  const own = Object.fromEntries(
    Object.entries(error).filter(
      ([key]) => !['generatedMessage', 'actual', 'expected', 'operator', 'diff'].includes(key),
    ),
  );
  return Object.keys(own).length === 0 ? '' : `\n${inspect(own, { maxStringLength: 4000 })}`;
}

export function totals(reports: FileReport[]): Totals {
  return {
    passed: reports.reduce((sum, report) => sum + report.passed, 0),
    failed: reports.reduce((sum, report) => sum + report.failures.length, 0),
    skipped: reports.reduce((sum, report) => sum + report.skips.length, 0),
  };
}

/** One line for a file, and its failures in full below it. */
export function describe(report: FileReport): string {
  const { passed, failed, skipped } = totals([report]);
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  const seconds = (report.milliseconds / 1000).toFixed(1);
  const lines = [`  ${failed > 0 ? '✗' : '✓'} ${report.file}: ${counts.join(', ')} (${seconds} s)`];
  for (const failure of report.failures) {
    lines.push(indent(`✗ ${failure.name}`, 4), indent(failure.text, 8));
  }
  if (failed > 0 && report.output.trim() !== '')
    lines.push(indent('output:', 4), indent(report.output.trimEnd(), 8));
  return lines.join('\n');
}

function indent(text: string, by: number): string {
  return text.replace(/^/gm, ' '.repeat(by));
}
