// What is left when nothing new is learned: types that nobody told, and what later steps need to know of structs and enums.
// Neighbours: check.ts, checked.ts.

import type { Program } from '../ast.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { Layout, Type } from '../types.ts';
import type { CheckedMap, CheckedProbe } from './checked.ts';
import { errorTexts } from './error-texts.ts';
import type { Layouts } from './layouts.ts';
import type { Names } from './names.ts';
import type { Environment } from './pass.ts';

/** Without a kernel much is not known, and after an error too: then nothing is said. */
export function unsettled(program: Program, env: Environment, failed: boolean): Diagnostic[] {
  if (env.kernel === null || failed) return [];
  const diagnostics: Diagnostic[] = [];
  const uses = firstUses(program);
  for (const state of env.maps.byName.values()) {
    if (!state.assigned || !isOpen(state.value)) continue;
    diagnostics.push({
      severity: 'error',
      span: uses.get(state.name) ?? { start: 0, end: 0 },
      message: `what ${state.name} holds can not be told from what is assigned to it`,
      hint: `cast it once: ${state.name} = (int64)…`,
    });
  }
  return diagnostics;
}

function isOpen(type: Type): boolean {
  if (type.kind === 'unknown') return true;
  if (type.kind === 'tuple') return type.elements.some(isOpen);
  return type.kind === 'record' && type.members.some((member) => isOpen(member.type));
}

/** Where each map stands first. */
function firstUses(program: Program): Map<string, Span> {
  const uses = new Map<string, Span>();
  const waiting: unknown[] = [program.probes];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    if ('kind' in node && node.kind === 'map' && 'name' in node && 'span' in node) {
      const span = node.span as Span;
      const before = uses.get(String(node.name));
      if (before === undefined || span.start < before.start) uses.set(String(node.name), span);
    }
    for (const child of Object.values(node))
      if (typeof child === 'object' && child !== null) waiting.push(child);
  }
  return uses;
}

/** Of every struct that a type names, and of those that it holds by value. */
export function layoutsOf(
  probes: readonly CheckedProbe[],
  maps: ReadonlyMap<string, CheckedMap>,
  known: Layouts,
): Map<string, Layout> {
  const found = new Map<string, Layout>();
  const take = (type: Type): void => {
    if (type.kind === 'pointer') take(type.to);
    else if (type.kind === 'array') take(type.of);
    else if (type.kind === 'tuple') type.elements.forEach(take);
    else if (type.kind === 'record') for (const member of type.members) take(member.type);
    else if (type.kind === 'struct' && !found.has(type.name)) add(known.of(type.name), type.name);
  };
  const add = (layout: Layout | undefined, name: string): void => {
    if (layout === undefined) return;
    found.set(name, layout);
    for (const { type } of layout.members) if (type.kind !== 'pointer') take(type);
  };
  for (const { context, types } of probes) {
    if (context.args !== null) add(context.args.layout, context.args.layout.name);
    for (const type of types.values()) take(type);
  }
  for (const { key, value } of maps.values()) for (const type of [key, value]) if (type !== null) take(type);
  return found;
}

export function enumsOf(
  probes: readonly CheckedProbe[],
  maps: ReadonlyMap<string, CheckedMap>,
  names: Names,
): Map<string, ReadonlyMap<bigint, string>> {
  const found = new Map<string, ReadonlyMap<bigint, string>>();
  const take = (type: Type): void => {
    if (type.kind === 'tuple') type.elements.forEach(take);
    else if (type.kind === 'record') for (const member of type.members) take(member.type);
    else if (type.kind === 'array') take(type.of);
    if (type.kind !== 'integer' || type.enum === undefined || found.has(type.enum)) return;
    const values = type.enum === 'errno text' ? errorTexts : names.enumValues(type.enum);
    if (values !== undefined) found.set(type.enum, values);
  };
  for (const { types } of probes) for (const type of types.values()) take(type);
  for (const { key, value } of maps.values()) for (const type of [key, value]) if (type !== null) take(type);
  return found;
}
