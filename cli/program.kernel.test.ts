// `sonde run` with a program, end to end, by the bundle that ships: what goes to stdout and stderr, how it ends, what it writes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { workplace } from '../test/support/sonde.ts';

const reads = (count: number) => [
  'dd',
  'if=/dev/zero',
  'of=/dev/null',
  'bs=777',
  `count=${count}`,
  'status=none',
];
const sevens = 'tracepoint:syscalls:sys_exit_read /args.ret == 777/';

test("stdout is the program's alone; begin, end and the maps stand in their order, and exit says the code", async () => {
  using place = workplace();
  const source =
    'begin { printf("first\\n"); @a = 1; @b["x", 2] = 3; exit(7); } end { printf("last %d\\n", @a); }';
  const { code, stdout, stderr } = await place.run(['run', '-e', source]);
  assert.equal(stdout, 'first\nlast 1\n\n\n@a: 1\n@b[x, 2]: 3\n');
  assert.equal(stderr, 'Attached 2 probes\n');
  assert.equal(code, 7);
});

test('a script has parameters; -q keeps quiet; a program of begin alone ends by itself', async () => {
  using place = workplace();
  writeFileSync(join(place.folder, 's.bt'), 'BEGIN { printf("%d %s %d\\n", $1, str($2), $#); }\n');
  const { code, stdout, stderr } = await place.run(['run', '-q', 's.bt', '12', 'abc']);
  assert.deepEqual([code, stdout, stderr], [0, '12 abc 2\n\n\n', '']);
});

test('--format json: one object a line', async () => {
  using place = workplace();
  const source = 'begin { printf("test %d", 5); @x[1, "a b"] = 2; print((1, "s")); @h = hist(20); }';
  const { stdout, stderr } = await place.run(['run', '-f', 'json', '-e', source]);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { type: 'attached_probes', count: 1, data: { probes: 1 } },
      { type: 'printf', data: 'test 5' },
      { type: 'value', data: [1, 's'] },
      { type: 'hist', data: { '@h': [{ min: 16, max: 31, count: 1 }] } },
      { type: 'map', data: { '@x': { '1,a b': 2 } } },
    ],
  );
  assert.equal(stderr, '');
});

test("what is wrong is shown at its place, and nothing runs; a kernel's no is an error too", async () => {
  using place = workplace();
  const wrong = await place.run(['run', '-e', 'begin { prntf("x"); }', '--', 'touch', 'started']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^stdin:1:9-14: ERROR: .*'prntf'\nbegin \{ prntf\("x"\); \}\n {8}~{5}\n/);
  const none = await place.run(['run', '-e', 'tracepoint:no:such_one { @ = count(); }']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^stdin:1:1-23: ERROR: this kernel has no tracepoint no:such_one/);
  assert.equal((await place.run(['run', '-e', 'begin { }', '-f', 'jsonx'])).code, 2);
  assert.deepEqual(readdirSync(place.folder), []);
});

test('SIGINT prints the maps', async () => {
  using place = workplace();
  const run = place.start(['run', '-e', 'interval:ms:5 { @ticks = count(); } end { printf("bye\\n"); }']);
  await run.said(/Attached 2 probes/);
  await new Promise((resolve) => setTimeout(resolve, 300));
  run.child.kill('SIGINT');
  const { code, stdout } = await run.ended;
  assert.match(stdout, /^bye\n\n\n@ticks: \d+\n$/);
  assert.equal(code, 0);
});

test('a process is seen, its neighbours are not; its end is the end', async () => {
  using place = workplace();
  const traced = spawn('sh', ['-c', `read line; exec ${reads(20).join(' ')}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    const run = place.start(['run', '-e', `${sevens} { @[comm] = count(); }`, '--pid', String(traced.pid)]);
    await run.said(/Attached 1 probe/);
    const neighbour = spawn(reads(30)[0] ?? '', reads(30).slice(1));
    await once(neighbour, 'exit');
    traced.stdin.end('go\n');
    const { stdout, stderr } = await run.ended;
    assert.equal(stdout, '\n\n@[dd]: 20\n', stderr);
  } finally {
    traced.kill();
  }
});

test('--output: what was printed, and a result for each map and for printf', async () => {
  using place = workplace();
  const source = `${sevens} { @bytes[comm] = sum(args.ret); @mean = avg(args.ret); @sizes = hist(args.ret);
    @stacks[ustack] = count(); printf("%s %d\\n", comm, args.ret); }`;
  const { code, stdout, stderr } = await place.run([
    'run',
    '-q',
    '-o',
    'out',
    '-e',
    source,
    '--',
    ...reads(25),
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, 'result: out\n');
  assert.equal(readFileSync(join(place.folder, 'out/output.txt'), 'utf8'), stdout);
  assert.deepEqual(readdirSync(join(place.folder, 'out')).sort(), [
    ...['bytes', 'mean', 'output.txt', 'printf', 'sizes', 'stacks'],
  ]);
  const rows = (name: string) => place.result(join('out', name)).data.rows;
  assert.deepEqual(rows('bytes'), [{ ...rows('bytes')[0], container: 'dd', key: 'dd', sum: 19425 }]);
  assert.deepEqual([rows('mean')[0].total, rows('mean')[0].count], [19425, 25]);
  assert.deepEqual([rows('sizes')[0].from, rows('sizes')[0].to, rows('sizes')[0].count], [512, 1024, 25]);
  const events = place.lines('out/printf');
  assert.equal(events.length, 25);
  assert.deepEqual([events[0]?.text, events[0]?.arg1, events[0]?.arg2], ['dd 777\n', 'dd', 777]);
  assert.match(readFileSync(join(place.folder, 'out/stacks/stacks.folded'), 'utf8'), /read[^;]* 25\n/);
});
