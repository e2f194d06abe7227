// Tests' way from text to a checked program. Neighbours: test-kernel.ts, *.test.ts here and in programs/lower.

import { expand } from '../expand.ts';
import type { Kernel } from '../kernel.ts';
import { parse } from '../parse/parse.ts';
import type { Diagnostic } from '../source.ts';
import { check } from './check.ts';
import type { Checked, CheckOptions } from './checked.ts';
import { testKernel } from './test-kernel.ts';

export function checkText(
  source: string,
  options: Partial<CheckOptions> = {},
  kernel: Kernel | null = testKernel(),
): Checked {
  const parsed = parse(source);
  const expanded = expand(parsed.program, { positional: [], named: new Map() });
  const checked = check(expanded.program, kernel, { tenancy: 'node', hasCommand: false, ...options });
  return {
    ...checked,
    diagnostics: [...parsed.diagnostics, ...expanded.diagnostics, ...checked.diagnostics],
  };
}

/** `text of the place: message (hint)`. */
export function said(
  source: string,
  diagnostics: readonly Diagnostic[],
  severity: Diagnostic['severity'],
): string[] {
  return diagnostics
    .filter((each) => each.severity === severity)
    .map(({ span, message, hint }) => {
      const place = source.slice(span.start, span.end);
      return `${place}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
    });
}

export function errors(
  source: string,
  options: Partial<CheckOptions> = {},
  kernel: Kernel | null = testKernel(),
): string[] {
  return said(source, checkText(source, options, kernel).diagnostics, 'error');
}
