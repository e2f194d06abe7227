// A program's text to an object that the kernel takes, for one kernel. Each step: parse → expand → check → lower → optimize → emit. Pure.
// Neighbours: agent/program-kernel.ts (the kernel it is compiled for), agent/program-session.ts (runs what comes out).

import { check } from './check/check.ts';
import type { CheckOptions } from './check/checked.ts';
import type { Compiled } from './compiled.ts';
import type { Externs } from './emit/externs.ts';
import { emitObject } from './emit/object.ts';
import { expand } from './expand.ts';
import type { IrModule } from './ir.ts';
import type { Kernel } from './kernel.ts';
import { lowerChecked } from './lower/lower.ts';
import { optimize } from './optimize.ts';
import type { Parameters } from './parameters.ts';
import { parse } from './parse/parse.ts';
import type { Diagnostic } from './source.ts';

export interface CompileOptions extends CheckOptions {
  /** What the source is called in messages: a file's name, `stdin`. */
  name: string;
  /** What stands behind the script on the command line. */
  parameters: Parameters;
  /** Of dist/bpf/<arch>/program.bpf.o, with which the object is linked. */
  externs: Externs;
  /** -k: reads of memory that fail are told too, each by a record. */
  runtimeChecks?: boolean;
}

export type Compilation =
  | { compiled: Compiled /** Before it became bytes. */; module: IrModule; warnings: Diagnostic[] }
  /** With an error among them. */
  | { diagnostics: Diagnostic[] };

/** @throws EmitError where what was generated is beyond what eBPF has (a stack of 512 bytes, jumps of 32 KiB). */
export function compile(source: string, kernel: Kernel, options: CompileOptions): Compilation {
  const parsed = parse(source);
  if (hasError(parsed.diagnostics)) return { diagnostics: parsed.diagnostics };
  const expanded = expand(parsed.program, options.parameters);
  const before = [...parsed.diagnostics, ...expanded.diagnostics];
  if (hasError(before)) return { diagnostics: before };
  const checked = check(expanded.program, kernel, options);
  const warnings = [...before, ...checked.diagnostics];
  if (hasError(warnings)) return { diagnostics: warnings };
  const result = lowerChecked(checked, kernel, { name: options.name, text: source }, options.runtimeChecks);
  if ('diagnostics' in result) return { diagnostics: [...warnings, ...result.diagnostics] };
  const { compiled } = result.lowered;
  const module = optimize(result.lowered.module);
  return { compiled: { ...compiled, object: emitObject(module, options.externs) }, module, warnings };
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}
