// What macros, defines and parameters become, and that they can't become anything large.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expression, Program } from './ast.ts';
import { renderDiagnostics } from './diagnostics.ts';
import { expand } from './expand.ts';
import type { Parameters } from './parameters.ts';
import { parse } from './parse/parse.ts';
import { treeText } from './parse/tree-text.ts';

const none: Parameters = { positional: [], named: new Map() };

function expanded(source: string, parameters = none): Program {
  const parsed = parse(source);
  assert.deepEqual(parsed.diagnostics, []);
  const { program, diagnostics } = expand(parsed.program, parameters);
  assert.equal(renderDiagnostics(diagnostics, source), '');
  return program;
}

/** Of `BEGIN { $x = … }`, without places. */
function value(source: string, parameters = none): string {
  const [probe] = expanded(source, parameters).probes;
  const last = probe?.body.statements.at(-1);
  assert.ok(last?.kind === 'assign');
  return text(last.value);
}

function text(node: unknown): string {
  return treeText(node, 'value').replaceAll(/ ?@\d+-\d+/g, '');
}

function expression(source: string): string {
  const [probe] = parse(`BEGIN { $x = ${source}; }`).program.probes;
  const [first] = probe?.body.statements ?? [];
  assert.ok(first?.kind === 'assign');
  return text(first.value satisfies Expression);
}

function problems(source: string, parameters = none): string[] {
  const parsed = parse(source);
  assert.deepEqual(parsed.diagnostics, []);
  return expand(parsed.program, parameters).diagnostics.map(
    ({ span, message }) => `${source.slice(span.start, span.end)}: ${message}`,
  );
}

test('a positional parameter is a number where it looks like one, and text within str()', () => {
  const given = (...positional: string[]): Parameters => ({ positional, named: new Map() });
  assert.equal(value('BEGIN { $x = $1 }', given('0x10')), expression('16'));
  assert.equal(value('BEGIN { $x = $1 }', given('-5')), expression('-5'));
  assert.equal(value('BEGIN { $x = $1 }', given('12ab')), expression('"12ab"'));
  assert.equal(value('BEGIN { $x = str($1) }', given('12')), expression('"12"'));
  assert.equal(value('BEGIN { $x = str($1 + 1) }', given('hello')), expression('"ello"'));
  assert.equal(value('BEGIN { $x = str($1, 3) }', given('hello')), expression('"hel"'));
  assert.equal(value('BEGIN { $x = $2 }', given('1')), expression('0'));
  assert.equal(value('BEGIN { $x = str($2) }', given('1')), expression('""'));
  assert.equal(value('BEGIN { $x = $# }', given('a', 'b')), expression('2'));
});

test('parameters are put into the places of probes, but not within quotes', () => {
  const { probes } = expanded('u:$1:"f$2",i:s:$2 { }', { positional: ['/bin/x', '5'], named: new Map() });
  assert.deepEqual(
    probes[0]?.attachPoints.map(({ text, parts }) => [text, ...parts]),
    [
      ['u:/bin/x:"f$2"', '/bin/x', 'f$2'],
      ['i:s:5', 's', '5'],
    ],
  );
});

test('a named parameter has the type of its default', () => {
  const given = (name: string, text: string): Parameters => ({
    positional: [],
    named: new Map([[name, text]]),
  });
  assert.equal(value('BEGIN { $x = getopt("n", 5) }'), expression('5'));
  assert.equal(value('BEGIN { $x = getopt("n", -5, "how many") }', given('n', '7')), expression('7'));
  assert.equal(value('BEGIN { $x = getopt("n", "a") }', given('n', '7')), expression('"7"'));
  assert.equal(value('BEGIN { $x = getopt("n") }'), expression('false'));
  assert.equal(value('BEGIN { $x = getopt("n") }', given('n', '')), expression('true'));
  assert.equal(value('BEGIN { $x = getopt("n", true) }', given('n', '0')), expression('false'));
  assert.equal(value('BEGIN { $x = getopt("n") }', given('n', 'False')), expression('false'));
  assert.deepEqual(problems('BEGIN { $x = getopt("n", 5) }', given('n', 'x')), [
    `getopt("n", 5): the parameter 'n' is a number, not 'x'`,
  ]);
  assert.deepEqual(problems('BEGIN { $x = getopt("n") }', given('n', 'x')), [
    `getopt("n"): the parameter 'n' is true or false, not 'x'`,
  ]);
  assert.deepEqual(problems('BEGIN { $x = getopt("n", 1) + getopt("n", 2) }'), [
    `getopt("n", 2): the parameter 'n' has another default elsewhere: 1`,
  ]);
  assert.deepEqual(problems('BEGIN { $x = getopt(pid) }'), [
    'pid: the name of a parameter must be a string literal',
  ]);
  assert.deepEqual(problems('BEGIN { }', given('n', 'x')), [': Unexpected command line options: n']);
});

test('a define is its expression, where it is used, as often as it is', () => {
  const source = '#define A (B + 1)\n#define B 2\n#define B 3\nBEGIN { $x = A * A }';
  assert.equal(value(source), expression('(3 + 1) * (3 + 1)'));
  const [probe] = expanded(source).probes;
  const [first] = probe?.body.statements ?? [];
  assert.ok(first?.kind === 'assign' && first.value.kind === 'binary');
  assert.deepEqual(first.value.right.span, { start: source.length - 3, end: source.length - 2 });
  assert.notEqual(first.value.left, first.value.right);
});

test('a define within its own meaning is itself, and an alias of a function is the function', () => {
  assert.equal(value('#define pid pid + 1\nBEGIN { $x = pid }'), expression('pid + 1'));
  assert.equal(value('#define say nsecs\nBEGIN { $x = say(boot) }'), expression('nsecs(boot)'));
  assert.equal(
    value('#define MAX(a, b) ((a) > (b) ? (a) : (b))\nBEGIN { $x = MAX(1, pid) }'),
    expression('1 > pid ? 1 : pid'),
  );
  assert.deepEqual(problems('#define A struct x *\nBEGIN { $x = A }'), [
    'A: A is defined, but not as an expression',
  ]);
});

test('a builtin called without arguments is the builtin', () => {
  assert.equal(
    value('BEGIN { $x = pid() + comm(3) + arg0() + foo() }'),
    expression('pid + comm(3) + arg0 + foo()'),
  );
});

test('a parameter may be a part of a place, or all of it', () => {
  const read = (source: string, ...positional: string[]) => {
    const { program, diagnostics } = expand(parse(source).program, { positional, named: new Map() });
    assert.deepEqual(diagnostics, []);
    return program.probes[0]?.attachPoints.map(({ text }) => text);
  };
  assert.deepEqual(read('$1 { 1 }', 'interval:ms:5'), ['interval:ms:5']);
  assert.deepEqual(read('profile:$1:$2 { 1 }', 'hz', '7'), ['profile:hz:7']);
  assert.deepEqual(read('e$1 { 1 }', 'nd'), ['end']);
});

test('a macro of an expression is the expression, with its arguments put in', () => {
  const source = 'macro one() { 1 } macro twice(x) { x + x } macro four(x) { twice(twice(x)) }';
  assert.equal(value(`${source} BEGIN { $x = one + one() }`), expression('1 + 1'));
  assert.equal(value(`${source} BEGIN { $x = four(pid) }`), expression('(pid + pid) + (pid + pid)'));
});

test('the variables of a macro are its own in each use, and those of the caller where they are handed in', () => {
  const source =
    'macro f($a, @b, c) { let $t = c; $a += $t; @b = $t; $a } BEGIN { $t = 1; $x = f($t, @m, $t) }';
  assert.equal(
    value(source),
    expression('{ let $own = $t; $t += $own; @m = $own; $t }').replaceAll('$own', '$t?1'),
  );
});

test('a macro that has no value may only be a statement', () => {
  const source = 'macro say(x) { print(x); }';
  const [probe] = expanded(`${source} BEGIN { say(1) }`).probes;
  assert.equal(probe?.body.statements[0]?.kind, 'block');
  assert.deepEqual(problems(`${source} BEGIN { $x = say(1) }`), ["say(1): the macro 'say' has no value"]);
});

test('a macro is told from what it is not', () => {
  assert.deepEqual(problems('macro f($x) { $x } BEGIN { f(1); f(@m); f(); f }'), [
    "1: the macro 'f' expects a variable as $x",
    "@m: the macro 'f' expects a variable as $x",
    "f(): the macro 'f' takes one argument, not 0",
    "f: the macro 'f' takes one argument, not 0",
  ]);
  assert.deepEqual(problems('macro f(@x) { @x } BEGIN { f(@m[1]); f($m); f(@m) }'), [
    "@m[1]: the macro 'f' expects a map without keys as @x",
    "$m: the macro 'f' expects a map without keys as @x",
  ]);
  assert.deepEqual(problems('macro f($x) { let $x = @y; } BEGIN { f($a) }'), [
    "let $x = @y: $x is a parameter of the macro 'f' and can't be declared again",
    "@y: the macro 'f' uses @y, which is not its own",
  ]);
  assert.deepEqual(problems('macro f() { g() } macro g() { f() } BEGIN { f() }'), [
    "f(): the macro 'f' calls itself: f > g > f",
  ]);
});

test('macros that grow without end are stopped', () => {
  const levels = Array.from(
    { length: 40 },
    (_, level) => `macro m${level + 1}(x) { m${level}(x) + m${level}(x) }`,
  );
  const start = performance.now();
  const [grown] = problems(`macro m0(x) { x } ${levels.join(' ')} BEGIN { $x = m40(1) }`);
  assert.match(grown ?? '', /macros make this program larger than 100000 parts/);
  const long = '1 + '.repeat(900);
  const [deep] = problems(`macro a(x) { x + ${long} x } macro b(x) { a(a(x)) } BEGIN { $x = b(1) }`);
  assert.match(deep ?? '', /too deep/);
  assert.ok(performance.now() - start < 2_000);
});
