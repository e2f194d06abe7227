// Objects from open to close on this kernel: variables, programs, links, typed errors. Maps: map.kernel.test.ts. Left-overs: leaks.kernel.test.ts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import type { BpfObject, BtfValue, NativeErrorCode } from './api.ts';
import { NativeError } from './errors.ts';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const path = await testObject('values');
const opened: BpfObject[] = [];

function open(program?: string): BpfObject {
  const object = native.openObject(path);
  opened.push(object);
  if (program) object.setAutoload(program, true);
  return object;
}
after(() => {
  for (const object of opened) object.close();
});

function failure(run: () => unknown): NativeError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof NativeError, String(error));
    return error;
  }
  assert.fail('nothing was thrown');
}

function refuses(code: NativeErrorCode, words: RegExp, run: () => unknown): void {
  const error = failure(run);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, words);
}

test('opening needs no privilege and leaves nothing in the kernel; loading says which capabilities are missing', () => {
  const before = native.held();
  process.seteuid?.(65534);
  try {
    const object = open('count_calls');
    object.setVariable('target', 7);
    assert.equal(object.getVariable('target'), 7);
    assert.equal(native.held().programs + native.held().maps, before.programs + before.maps);
    refuses('PermissionDenied', /CAP_BPF/, () => object.load());
  } finally {
    process.seteuid?.(0);
  }
});

test('an object for the other architecture opens as well', async () => {
  const object = native.openObject(await testObject('values', 'arm64'));
  assert.ok(object.programs.some((p) => p.name === 'on_switch' && p.section === 'tp_btf/sched_switch'));
  object.close();
});

test('what is no object, or not there, says so', () => {
  refuses('NotFound', /no-such-file/, () => native.openObject('/tmp/no-such-file.o'));
  refuses('InvalidObject', /object.kernel.test.ts/, () => native.openObject(import.meta.filename));
  refuses('InvalidArgument', /path/, () => native.openObject(3 as unknown as string));
});

test('programs and maps are listed with sizes and sections', () => {
  const object = open();
  const hash = object.maps.find((m) => m.name === 'hash');
  assert.deepEqual(hash, { name: 'hash', type: 'hash', keySize: 16, valueSize: 32, maxEntries: 50000 });
  object.setMaxEntries('hash', 100);
  assert.equal(object.maps.find((m) => m.name === 'hash')?.maxEntries, 100);
  refuses('NotFound', /no map nope/, () => object.setMaxEntries('nope', 1));
  refuses('NotFound', /no program nope/, () => object.setAutoload('nope', true));
});

test('variables keep every kind of value, and refuse what does not fit', () => {
  const object = open();
  const value = {
    big: 2n ** 64n - 1n,
    negative: -(2n ** 63n),
    number: 4294967295,
    small: -32768,
    yes: true,
    name: 'exactly-16-bytes',
    address: new Uint8Array([10, 0, 0, 1]),
    list: [1, 2, 3],
    nested: { low: 65535, high: -1 },
    pairs: [
      { low: 1, high: 2 },
      { low: 3, high: 4 },
    ],
    colour: -3,
    three: 5,
    minus: -16,
    either: new Uint8Array([1, 2, 3, 4]),
    within: 9,
    pointer: 0xffff888000000000n,
  };
  object.setVariable('variable', value);
  assert.deepEqual(object.getVariable('variable'), value);
  assert.equal(object.getVariable('neighbour'), 5n);
  const set = (member: string, bad: BtfValue) => () => object.setVariable('variable', { [member]: bad });
  refuses('InvalidArgument', /variable\.small: .*16 bits/, set('small', 32768));
  refuses('InvalidArgument', /negative/, set('number', -1));
  refuses('InvalidArgument', /3 bits/, set('three', 8));
  refuses('InvalidArgument', /17 bytes, at most 16 fit/, set('name', 'more-than-16-byte'));
  refuses('InvalidArgument', /at most 3 elements/, set('list', [1, 2, 3, 4]));
  refuses('InvalidArgument', /no member other/, set('other', 1));
  refuses('InvalidArgument', /whole number/, set('number', 1.5));
  refuses('NotFound', /no global variable nope/, () => object.setVariable('nope', 1));
});

test('a program counts what it is told to, constants are frozen, globals are mapped memory', () => {
  const object = open('count_calls');
  object.setVariable('target', process.pid);
  object.load();
  refuses('InvalidArgument', /before load/, () => object.setVariable('target', 1));
  refuses('InvalidArgument', /before load/, () => object.setMaxEntries('hash', 5));
  const link = object.attach('count_calls');
  for (let i = 0; i < 1000; i++) process.getgid?.();
  link.close();
  link.close();
  const counted = object.getVariable('counted');
  assert.ok(typeof counted === 'bigint' && counted >= 1000n && counted < 2000n, String(counted));
  object.setVariable('counted', 3n);
  process.getgid?.();
  assert.equal(object.getVariable('counted'), 3n, 'detached');
  assert.ok(object.memory() > 100_000, 'the hash of 50,000 entries is charged');
});

test('a clock of the whole machine and one of a cgroup tick', async () => {
  const object = open('on_clock');
  object.load();
  const links = [object.attach('on_clock', { kind: 'perfEvent', event: 'cpuClock', frequencyHz: 997 })];
  const group = '/sys/fs/cgroup/unified';
  if (existsSync(group))
    links.push(
      object.attach('on_clock', {
        kind: 'perfEvent',
        event: 'taskClock',
        frequencyHz: 997,
        cgroupPath: group,
      }),
    );
  const end = performance.now() + 200;
  while (performance.now() < end);
  for (const link of links) link.close();
  const ticks = object.getVariable('counted');
  assert.ok(typeof ticks === 'bigint' && ticks > 50n, `${ticks} ticks in 200 ms of one busy CPU at 997 Hz`);
  refuses('InvalidArgument', /frequencyHz/, () =>
    object.attach('on_clock', { kind: 'perfEvent', event: 'cpuClock', frequencyHz: 0 }),
  );
});

test('functions of a file are attached to by one link, by name', () => {
  const object = open('on_function');
  object.setVariable('target', process.pid);
  object.load();
  const binary = /\S+\/libc\.so\.6/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? '';
  const before = native.held().links;
  const options = {
    kind: 'uprobe' as const,
    binary,
    functions: ['getgid', 'getegid'],
    return: false,
  };
  const link = object.attach('on_function', options);
  if (native.features().uprobeMulti) assert.equal(native.held().links - before, 1);
  for (let i = 0; i < 10; i++) process.getgid?.();
  for (let i = 0; i < 5; i++) process.getegid?.();
  link.close();
  assert.equal(object.getVariable('counted'), 15n);
  refuses('NotFound', /no_such_function/, () =>
    object.attach('on_function', { ...options, functions: ['no_such_function'] }),
  );
  refuses('InvalidArgument', /does not say where/, () => object.attach('on_function'));
});

test('a USDT probe of one process is counted, with its argument', async (t) => {
  const binary = '/usr/bin/python3.11';
  if (!existsSync(binary))
    return t.skip(`NotSupported: ${binary}, whose probes this counts, is not installed`);
  const object = native.openObject(await testObject('usdt'));
  opened.push(object);
  const script = `import gc
gc.disable()
print("ready", flush=True)
input()
for i in range(50): gc.collect(1)
print("done", flush=True)
input()`;
  const child = spawn(binary, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // Its start collects garbage as well.
  assert.equal((await said.next()).value, 'ready');
  const pid = child.pid ?? 0;
  object.setVariable('target', pid);
  object.setAutoload('on_probe', true);
  object.load();
  const link = object.attach('on_probe', {
    kind: 'usdt',
    binary,
    provider: 'python',
    probe: 'gc__start',
    pid,
  });
  child.stdin.write('\n');
  assert.equal((await said.next()).value, 'done');
  link.close();
  child.stdin.end('\n');
  assert.equal(object.getVariable('counted'), 50n);
  assert.equal(object.getVariable('argument'), 1n);
  refuses('NotFound', /nope/, () =>
    object.attach('on_probe', { kind: 'usdt', binary, provider: 'python', probe: 'nope', pid }),
  );
});

test('what the verifier refuses has its reason in the message and all its words in the log', () => {
  const error = failure(() => open('refused').load());
  assert.equal(error.code, 'VerifierRejected');
  assert.match(error.message, /program refused: the verifier says: R1 invalid mem access/);
  assert.match(error.log ?? '', /BEGIN PROG LOAD LOG/);
  assert.equal(error.errno, 'EACCES');
});

test('a hook that this kernel has not is NotSupported, with the reason, at load or attach and beforehand', () => {
  for (const program of ['on_nothing', 'on_no_tracepoint', 'on_open', 'on_open_kprobe', 'on_switch']) {
    const object = open(program);
    const section = object.programs.find((p) => p.name === program)?.section ?? '';
    const reason = native.supports(section);
    const run = () => {
      object.load();
      object.attach(program);
    };
    if (reason === null) run();
    else refuses('NotSupported', new RegExp(reason.slice(0, 20)), run);
    object.close();
  }
  assert.match(native.supports('tp_btf/no_such_tracepoint') ?? '', /no tracepoint no_such_tracepoint/);
  assert.match(native.supports('tracepoint/a/b') ?? '', /tracepoint a\/b|tracefs/);
  assert.equal(native.supports('perf_event'), null);
});

test('a raw tracepoint can be chosen at attach time', () => {
  const object = open('count_calls');
  object.load();
  object.attach('count_calls', { kind: 'rawTracepoint', name: 'sys_exit' }).close();
  refuses('NotSupported', /no tracepoint nope/, () =>
    object.attach('count_calls', { kind: 'rawTracepoint', name: 'nope' }),
  );
});

test('what is closed stays closed, and handles are told apart', () => {
  const object = open('count_calls');
  object.load();
  const link = object.attach('count_calls');
  const map = object.map('hash');
  object.close();
  object.close();
  link.close();
  refuses('Closed', /closed/, () => object.getVariable('target'));
  refuses('Closed', /closed/, () => map.entries());
  const options = { ring: 'x', record: 'y', onBatch: () => {}, onError: () => {} };
  refuses('InvalidArgument', /BpfObject/, () => native.readRing({} as BpfObject, options));
  refuses('InvalidArgument', /BpfObject/, () => native.readRing(map as unknown as BpfObject, options));
  const handleClass = object.constructor as new () => BpfObject;
  refuses('InvalidArgument', /new/, () => new handleClass());
});
