// What is wrong with a program as far as no kernel is needed to know it: when a job is applied, and for `sonde validate`. Pure.
// Neighbours: programs/compile.ts (the whole way, on a node), operator/assign.ts, cli/validate.ts.

import { check } from './check/check.ts';
import { renderDiagnostics } from './diagnostics.ts';
import { expand } from './expand.ts';
import { parse } from './parse/parse.ts';
import type { Diagnostic } from './source.ts';

export interface SourceOptions {
  parameters: readonly string[];
  /** pods: a namespaced job. */
  tenancy: 'pods' | 'node';
}

export function checkSource(source: string, options: SourceOptions): Diagnostic[] {
  const parsed = parse(source);
  if (hasError(parsed.diagnostics)) return parsed.diagnostics;
  const parameters = { positional: options.parameters, named: new Map<string, string>() };
  const expanded = expand(parsed.program, parameters);
  const before = [...parsed.diagnostics, ...expanded.diagnostics];
  if (hasError(before)) return before;
  const { diagnostics } = check(expanded.program, null, { tenancy: options.tenancy, hasCommand: false });
  return [...before, ...diagnostics];
}

/** The errors with their lines and carets; '' where there is none. */
export function sourceErrors(source: string, options: SourceOptions): string {
  const errors = checkSource(source, options).filter(({ severity }) => severity === 'error');
  return renderDiagnostics(errors, source, 'source').trimEnd();
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}
