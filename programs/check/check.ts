// A program's meaning: what its places are, what types its expressions, variables and maps have, and what is wrong with it. Pure but for what the
// kernel is asked. Between programs/expand.ts and programs/lower/*. Neighbours: places.ts, statements.ts, expression.ts, settle.ts (what comes out).

import type { Probe, Program } from '../ast.ts';
import type { Kernel } from '../kernel.ts';
import type { Diagnostic } from '../source.ts';
import type { Checked, CheckedProbe, CheckOptions } from './checked.ts';
import { readConfig } from './config.ts';
import { infer } from './expression.ts';
import { checkedMaps, makeMaps } from './maps.ts';
import { makeNames } from './names.ts';
import { condition, type Environment, type Pass, type Variable } from './pass.ts';
import type { Place } from './place.ts';
import { placesOf } from './places.ts';
import { enumsOf, layoutsOf, unsettled } from './settle.ts';
import { block } from './statements.ts';
import { makeSuggest } from './suggest.ts';
import { type Uses, usesOf } from './uses.ts';

/** A body at places that are alike. */
interface Work {
  source: Probe;
  places: Place[];
  declared: Map<object, Variable>;
  /** This machine doesn't have it: it is gone through for what it tells of maps, and not attached. */
  absent: boolean;
}

const diagnosticsAtMost = 100;

export function check(program: Program, kernel: Kernel | null, options: CheckOptions): Checked {
  const { config, refused, diagnostics: configProblems } = readConfig(program, options.settings ?? new Map());
  const suggest = makeSuggest();
  const { maps, diagnostics: mapProblems } = makeMaps(program, config, suggest);
  const said = collector();
  for (const each of [...configProblems, ...mapProblems]) said.report(each);
  if (refused.has('unstable_map_decl'))
    for (const { span } of program.maps)
      said.report({
        severity: 'error',
        span,
        message: 'declarations of maps are switched off by unstable_map_decl',
      });
  let learned = false;
  const env: Environment = {
    kernel,
    options,
    config,
    refused,
    names: makeNames(program, kernel, config.maxStrlen, suggest),
    maps,
    report: said.report,
    suggest,
    level: 0,
    learned: () => {
      learned = true;
    },
  };
  const works = program.probes.flatMap((probe) => worksOf(probe, env));
  limits(program, works, env);
  // Types only grow, so this ends; the bound is for the chains that a program of thousands of variables can build.
  for (const level of [0, 1, 2] as const) {
    env.level = level;
    for (let round = 0; round < 32; round++) {
      learned = false;
      for (const work of works) goThrough(work, env, false);
      if (!learned) break;
    }
  }
  const judged = works.map((work) => ({ probe: goThrough(work, env, true), absent: work.absent }));
  const probes = judged.flatMap(({ probe, absent }) => (absent ? [] : [probe]));
  const checked = checkedMaps(maps);
  for (const each of unsettled(program, env, said.hasErrors())) said.report(each);
  return {
    diagnostics: said.all(),
    probes,
    maps: checked,
    layouts: layoutsOf(probes, checked, env.names.layouts),
    enums: enumsOf(probes, checked, env.names),
    config,
  };
}

/** The same is said once, however many places a body has. */
function collector() {
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  return {
    report(diagnostic: Diagnostic): void {
      const { severity, span, message } = diagnostic;
      const key = `${severity} ${span.start} ${span.end} ${message}`;
      if (seen.has(key) || diagnostics.length >= diagnosticsAtMost) return;
      seen.add(key);
      diagnostics.push(diagnostic);
    },
    hasErrors: () => diagnostics.some(({ severity }) => severity === 'error'),
    all: () => diagnostics.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end),
  };
}

function worksOf(source: Probe, env: Environment): Work[] {
  const uses = usesOf(source);
  const groups = new Map<string, Place[]>();
  const absent: Place[] = [];
  for (const point of source.attachPoints) {
    const { provider, span } = point;
    if (provider === 'test' || provider === 'bench') {
      const message = `${provider} probes are not run`;
      env.report({ severity: 'warning', span, message, hint: "they are for bpftrace's own tests" });
      continue;
    }
    const request = {
      point,
      kernel: env.kernel,
      tenancy: env.options.tenancy,
      config: env.config,
      usesArguments: uses.arguments || uses.name,
      suggest: env.suggest,
    };
    const answer = placesOf(request);
    if ('wrong' in answer) {
      const policy = answer.missing ? env.config.missingProbes : 'error';
      if (policy !== 'ignore')
        env.report({ severity: policy === 'warn' ? 'warning' : 'error', span, ...answer.wrong });
      const elsewhere = answer.missing ? placesOf({ ...request, kernel: null }) : answer;
      if ('places' in elsewhere) absent.push(...elsewhere.places);
      continue;
    }
    for (const place of answer.places) {
      const key = likeness(place, uses);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [place]);
      else group.push(place);
    }
  }
  const work = (places: Place[], isAbsent: boolean): Work => ({
    source,
    places,
    declared: new Map(),
    absent: isAbsent,
  });
  const there = Array.from(groups.values(), (places) => work(places, false));
  return there.length === 0 && absent.length > 0 ? [work(absent.slice(0, 1), true)] : there;
}

/** Equal for places that one program can serve. */
function likeness({ point, name, context, argumentsOf, path }: Place, uses: Uses): string {
  const { args, argN, retval, ...rest } = context;
  const seen = uses.arguments
    ? [args?.from, args?.layout.members, args?.layout.size, argN, retval, argumentsOf, path]
    : [];
  return [point.provider, uses.name ? name : '', JSON.stringify(rest), ...seen.map(plain)].join('\n');
}

function plain(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each)) ?? '';
}

function limits(program: Program, works: readonly Work[], env: Environment): void {
  const [first] = program.probes;
  const span = first?.attachPoints[0]?.span ?? { start: 0, end: 0 };
  const attached = works.filter(({ absent }) => !absent);
  const places = attached.flatMap((work) => work.places);
  const count = places.reduce((sum, { functions }) => sum + Math.max(1, functions.length), 0);
  const wrong = (message: string, hint: string) => env.report({ severity: 'error', span, message, hint });
  if (count > env.config.maxProbes)
    wrong(
      `${count} places are more than the ${env.config.maxProbes} that may be attached to`,
      `take a narrower wildcard, or config = { max_probes = ${count} }`,
    );
  if (attached.length > env.config.maxBpfPrograms)
    wrong(
      `${attached.length} programs are more than the ${env.config.maxBpfPrograms} that may be generated`,
      `take a narrower wildcard, or config = { max_bpf_progs = ${attached.length} }`,
    );
  const iterator = places.find(({ point }) => point.provider === 'iter');
  if (iterator !== undefined && works.length > 1)
    env.report({
      severity: 'error',
      span: iterator.point.span,
      message: 'an iterator can not be mixed with other probes',
    });
}

function goThrough({ source, places, declared }: Work, env: Environment, final: boolean): CheckedProbe {
  const [place] = places;
  if (place === undefined) throw new Error('a body without a place');
  const pass: Pass = {
    env,
    place,
    final,
    types: new Map(),
    constants: new Map(),
    variables: new Map(),
    scopes: [],
    declared,
    loops: 0,
    typeOf(expression) {
      const type = infer(pass, expression);
      pass.types.set(expression, type);
      return type;
    },
    block: (body) => block(pass, body),
  };
  if (source.predicate !== null) condition(pass, source.predicate);
  block(pass, source.body);
  return {
    source,
    provider: place.point.provider,
    attach: places.map(({ attach, name }) => ({ attach, name })),
    // Lowering takes it for addresses of which nothing else is known.
    context: { ...place.context, space: env.options.tenancy === 'pods' ? 'user' : place.context.space },
    predicate: source.predicate,
    body: source.body,
    types: pass.types,
    constants: pass.constants,
    variables: pass.variables,
  };
}
