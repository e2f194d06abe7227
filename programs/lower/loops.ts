// Loops. Short ranges that are known are written as a loop that the verifier goes through round by round. All others are callbacks that the kernel calls
// (bpf_loop, 5.17; bpf_for_each_map_elem, 5.13), which the verifier looks at once; their variables are in the scratch, where both sides see them.
// Without bpf_loop the verifier goes through every loop, and refuses one whose end it does not come to.

import type { Block, Expression, Statement } from '../ast.ts';
import type { CheckedProbe, CheckedVariable } from '../check/checked.ts';
import type { Register } from '../ir.ts';
import type { Kernel } from '../kernel.ts';
import type { Span } from '../source.ts';
import { condition } from './arithmetic.ts';
import { writeVariable } from './assign.ts';
import { Body } from './body.ts';
import { needs, scalar } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { addressOf, baseOf, copyBytes } from './memory.ts';
import { warn } from './output.ts';
import { beyond, type Place } from './place.ts';
import { lowerBlock } from './statement.ts';

type Of<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

/** Rounds that a loop without a known end has at most. */
const mostRounds = 1n << 20n;
const shortRange = 64n;

export function hasLoopHelper(kernel: Kernel): boolean {
  return kernel.enumerator('BPF_FUNC_loop') !== undefined;
}

/** The variables that callbacks of a probe use; found before it is lowered, so that both sides know where they are. */
export function capturedVariables(probe: CheckedProbe, kernel: Kernel): Set<CheckedVariable> {
  const captured = new Set<CheckedVariable>();
  const collect = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(collect);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const variable = probe.variables.get(node as Expression | Statement);
    if (variable !== undefined) captured.add(variable);
    for (const part of Object.values(node)) collect(part);
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    if ('kind' in node && isCallback(node as Statement, probe, kernel)) collect(node);
    for (const part of Object.values(node)) visit(part);
  };
  visit(probe.body);
  return captured;
}

function isCallback(statement: Statement, probe: CheckedProbe, kernel: Kernel): boolean {
  if (statement.kind === 'forMap') return true;
  if (!hasLoopHelper(kernel)) return false;
  if (statement.kind === 'while') return true;
  return statement.kind === 'forRange' && shortRangeOf(statement, probe) === null;
}

function shortRangeOf(statement: Of<'forRange'>, probe: CheckedProbe): { from: bigint; to: bigint } | null {
  const known = (expression: Expression): bigint | undefined => {
    const constant = probe.constants.get(expression);
    if (typeof constant === 'bigint') return constant;
    return expression.kind === 'integer' ? expression.value : undefined;
  };
  const from = known(statement.from);
  const to = known(statement.to);
  return from !== undefined && to !== undefined && to - from <= shortRange ? { from, to } : null;
}

export function whileLoop(body: Body, statement: Of<'while'>): void {
  const { f } = body;
  const { span } = statement;
  if (hasLoopHelper(body.shared.kernel)) {
    const done = callLoop(body, f.constant(mostRounds), span, (inner) => {
      const [more, enough] = [inner.f.block(), inner.f.block()];
      inner.statement(() => condition(inner, statement.condition, more, enough));
      inner.f.goto(enough);
      inner.f.return({ value: 1n });
      inner.f.goto(more);
      lowerBlock(inner, statement.body);
    });
    f.when('eq', done, { value: mostRounds }, () => warn(body, 'loop', f.constant(tooLong), span));
    return;
  }
  const [test, inside, end] = [f.block(), f.block(), f.block()];
  f.jump(test);
  f.goto(test);
  condition(body, statement.condition, inside, end);
  f.goto(inside);
  inLoop(body, statement.body, test, end);
  f.jump(test);
  f.goto(end);
}

/** E2BIG, which bpf_loop gives too. */
const tooLong = -7n;

export function forRange(body: Body, statement: Of<'forRange'>): void {
  const { f } = body;
  const { span } = statement;
  const variable = body.probe.variables.get(statement);
  const write = (into: Body, register: Register): void => {
    if (variable !== undefined)
      writeVariable(
        into,
        variable,
        { kind: 'scalar', register, type: { kind: 'integer', bits: 64, signed: true } },
        span,
      );
  };
  const short = shortRangeOf(statement, body.probe);
  if (short !== null || !hasLoopHelper(body.shared.kernel)) {
    const from = short === null ? scalar(body, statement.from) : f.constant(short.from);
    const to = short === null ? scalar(body, statement.to) : f.constant(short.to);
    rounds(body, from, to, (index, goOn, end) => {
      write(body, index);
      inLoop(body, statement.body, goOn, end);
    });
    return;
  }
  const from = scalar(body, statement.from);
  const start = body.lasting(8, span);
  const { base, offset } = baseOf(body, start);
  f.store(base, offset, 8, from);
  const count = f.constant(0n);
  const to = scalar(body, statement.to);
  f.when('sgt', to, from, () => f.move(count, f.binary('sub', to, from)));
  const done = callLoop(body, count, span, (inner) => {
    const at = baseOf(inner, start);
    write(inner, inner.f.binary('add', inner.f.load(at.base, at.offset, 8), inner.f.parameter(0)));
    lowerBlock(inner, statement.body);
  });
  // bpf_loop takes 2^23 rounds at most.
  f.when('slt', done, { value: 0n }, () => warn(body, 'loop', done, span));
}

/** From one number to another, in place. */
function rounds(
  body: Body,
  from: Register,
  to: Register,
  round: (index: Register, goOn: number, end: number) => void,
): void {
  const { f } = body;
  const [test, inside, next, end] = [f.block(), f.block(), f.block(), f.block()];
  const index = f.register();
  f.move(index, from);
  f.jump(test);
  f.goto(test);
  f.branch('slt', index, to, inside, end);
  f.goto(inside);
  round(index, next, end);
  f.jump(next);
  f.goto(next);
  f.move(index, f.binary('add', index, { value: 1n }));
  f.jump(test);
  f.goto(end);
}

function inLoop(body: Body, block: Block, goOn: number, end: number): void {
  body.loops.push({ break: () => body.f.jump(end), continue: () => body.f.jump(goOn) });
  lowerBlock(body, block);
  body.loops.pop();
}

/** What the callback gets of its program: the context, and who is traced. */
interface Captures {
  frame: Place;
  /** Not 0: the callback left the probe. */
  left: Place;
}

function capture(body: Body, span: Span): Captures {
  const { f } = body;
  const frame: Place = { at: 'frame', frame: f.frames.push(16) - 1, offset: 0 };
  const { base } = baseOf(body, frame);
  f.store(base, 0, 8, body.context);
  f.store(base, 8, 8, body.container);
  const left = body.lasting(8, span);
  const at = baseOf(body, left);
  f.store(at.base, at.offset, 8, { value: 0n });
  return { frame, left };
}

/** Writes the callback's function; gives its name. pointer: which of its parameters the captures are. */
function callback(
  body: Body,
  captures: Captures,
  pointer: number,
  parameters: number,
  write: (inner: Body) => void,
): string {
  const inner = new Body(body, body);
  const { f } = inner;
  const name = `${body.name}_loop${body.callbacks.count++}`;
  const given = f.parameter(pointer);
  f.move(inner.context, f.load(given, 0, 8));
  f.move(inner.container, f.load(given, 8, 8));
  inner.findScratch(() => f.return({ value: 1n }));
  inner.leave = () => {
    const { base, offset } = baseOf(inner, captures.left);
    f.store(base, offset, 8, { value: 1n });
    f.return({ value: 1n });
  };
  inner.loops.push({ break: () => f.return({ value: 1n }), continue: () => f.return({ value: 0n }) });
  write(inner);
  f.return({ value: 0n });
  body.shared.functions.push(f.finish(name, null, parameters));
  return name;
}

function afterLoop(body: Body, captures: Captures): void {
  const { base, offset } = baseOf(body, captures.left);
  body.f.when('ne', body.f.load(base, offset, 8), { value: 0n }, () => body.leave());
}

/** Gives how many rounds it made, or an error. */
function callLoop(body: Body, count: Register, span: Span, write: (inner: Body) => void): Register {
  const { f } = body;
  const captures = capture(body, span);
  const name = callback(body, captures, 1, 2, write);
  const done = f.helper(
    helper.loop,
    count,
    f.function(name),
    addressOf(body, captures.frame),
    f.constant(0n),
  );
  afterLoop(body, captures);
  return done;
}

export function forMap(body: Body, statement: Of<'forMap'>): void {
  const { f, shared } = body;
  const { span } = statement;
  needs(
    body,
    'a loop over a map needs Linux 5.13',
    shared.kernel.enumerator('BPF_FUNC_for_each_map_elem') !== undefined,
    span,
  );
  const map = shared.map(statement.map, span);
  const variable = body.probe.variables.get(statement);
  const captures = capture(body, span);
  const name = callback(body, captures, 3, 4, (inner) => {
    if (variable !== undefined && variable.type.kind === 'tuple') {
      const [keyElement, valueElement] = shared.elementsOf(variable.type);
      const pair = inner.lasting(shared.sizeOf(variable.type), span);
      inner.variables.set(variable, pair);
      const key: Place = { at: 'pointer', register: inner.f.parameter(1), offset: 0 };
      const value: Place = { at: 'pointer', register: inner.f.parameter(2), offset: 0 };
      if (keyElement !== undefined)
        copyBytes(inner, key, beyond(pair, keyElement.offset), shared.sizeOf(keyElement.type));
      if (valueElement !== undefined)
        copyBytes(inner, value, beyond(pair, valueElement.offset), shared.sizeOf(valueElement.type));
    }
    lowerBlock(inner, statement.body);
  });
  f.helper(
    helper.forEachMapElement,
    f.map(map.map.name),
    f.function(name),
    addressOf(body, captures.frame),
    f.constant(0n),
  );
  afterLoop(body, captures);
}
