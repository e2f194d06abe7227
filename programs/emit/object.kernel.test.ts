// The whole way of a module written by hand: to bytes, linked with an object that clang made, into the kernel, and back out of its maps.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BpfObject } from '../../native/api.ts';
import { NativeError } from '../../native/errors.ts';
import { native } from '../../native/index.ts';
import { testObject } from '../../native/test-object.ts';
import type { IrModule } from '../ir.ts';
import { parseModule } from '../ir-parse.ts';
import { EmitError } from './errors.ts';
import { Externs } from './externs.ts';
import { emitObject } from './object.ts';

const runtime = await testObject('runtime');
const externs = new Externs(readFileSync(runtime));
const opened: BpfObject[] = [];
after(() => {
  for (const object of opened) object.close();
});

function linked(text: string, change: (module: IrModule) => void = () => {}): BpfObject {
  const module = parseModule(text);
  change(module);
  const object = native.openLinked([runtime, emitObject(module, externs)]);
  opened.push(object);
  for (const { name } of module.functions.filter((f) => f.section !== null)) object.setAutoload(name, true);
  return object;
}

function loaded(text: string): BpfObject {
  const object = linked(text);
  object.load();
  return object;
}

test('what the verifier refuses is told with the line of the source', () => {
  const text = 'BEGIN { }\n  profile:hz:99 { $a = wrong }\n';
  const object = linked(
    'program wrong "raw_tp"\n0:\n  r0 = context\n  r1 = u64 [r0 + 0]\n  r2 = u64 [r1 + 0]\n  return r2',
    (module) => {
      module.source = { name: 'wrong.bt', text };
      const start = text.indexOf('$a');
      for (const instruction of module.functions[0]?.blocks[0]?.instructions ?? [])
        instruction.span = { start, end: start + 2 };
    },
  );
  const refused = (error: unknown) => {
    assert.ok(error instanceof NativeError);
    assert.equal(error.code, 'VerifierRejected');
    assert.match(error.log ?? '', /; profile:hz:99 { \$a = wrong }/);
    return true;
  };
  assert.throws(() => object.load(), refused);
});

test('a map, a global and structs of the runtime are used by name', () => {
  const object = loaded(`
    program sums "raw_tp" frames 8 16
    0:
      r0 = context
      r1 = frame 0
      u32 [r1 + 0] = 2
      r2 = map pairs
      r3 = helper 1(r2, r1)
      if r3 != 0 goto 1 else 2
    1:
      u64 [r3 + 0] = 40
      u64 [r3 + 8] = 1
      r4 = frame 1
      u64 [r4 + 0] = 7
      u64 [r4 + 8] = 8
      r5 = call pair_sum(r3, r0)
      r6 = call pair_sum(r4, r0)
      r7 = r5 + r6
      r8 = global stopped
      r9 = u32 [r8 + 0]
      r10 = r7 + r9
      return r10
    2:
      return 0`);
  object.setVariable('stopped', 100);
  assert.equal(object.run('sums'), 156);
  assert.deepEqual(object.map('pairs').get(2), { first: 40n, second: 1n });
});

test('read-only bytes, own globals, subprograms and callbacks', (t) => {
  const object = linked(`
    map map_numbers: array of 4 from u32 to u64
    global seen: struct seen 16 { 0 sum: u64, 8 last: u32 }
    program main "raw_tp" frames 8
    0:
      r0 = data "ABCDEFGH"
      r1 = u8 [r0 + 2]
      r2 = data "ABCDEFGH"
      r3 = u16 [r2 + 6]
      r4 = call twice(r1)
      r5 = map map_numbers
      r6 = function each
      r7 = frame 0
      u64 [r7 + 0] = 0
      r8 = 0
      r9 = helper 164(r5, r6, r7, r8)
      r10 = global seen
      r11 = u64 [r7 + 0]
      u64 [r10 + 0] = r11
      u32 [r10 + 8] = r3
      return r4
    function twice(1)
    0:
      r0 = parameter 0
      r1 = r0 + r0
      return r1
    function each(4)
    0:
      r0 = parameter 3
      r1 = u64 [r0 + 0]
      r2 = r1 + 5
      u64 [r0 + 0] = r2
      return 0`);
  try {
    object.load();
  } catch (error) {
    // bpf_for_each_map_elem
    if (
      error instanceof NativeError &&
      /unknown func|invalid func|number of funcs in func_info/.test(error.log ?? '')
    )
      return t.skip('NotSupported: this kernel has no bpf_for_each_map_elem (Linux 5.13)');
    throw error;
  }
  assert.equal(object.run('main'), 2 * 'C'.charCodeAt(0));
  assert.deepEqual(object.getVariable('seen'), { sum: 20n, last: 0x4847 });
});

test('a value that is compared while it lies on the stack keeps its bounds', () => {
  const text = readFileSync(join(import.meta.dirname, 'testdata/bounds.ir'), 'utf8');
  const object = loaded(text);
  object.run('p0', BigUint64Array.of(5000n, 6n));
  const bytes = object.map('map_b').get(0);
  assert.ok(bytes instanceof Uint8Array);
  assert.equal(bytes.indexOf(7), 4000 + 6 + 3);
});

test('two programs of one section, one loaded at a time; memory is given back', () => {
  const before = native.held();
  const object = linked(
    'program a "raw_tp"\n0:\n  return 1\nprogram b "raw_tp"\n0:\n  r0 = 0\n  r1 = u64 [r0 + 0]\n  return r1',
  );
  object.setAutoload('b', false);
  object.load();
  assert.equal(object.run('a'), 1);
  object.close();
  assert.deepEqual(native.held(), before);
});

test('what is not there, or does not fit, is told before the kernel is asked', () => {
  const refuses = (code: string, words: RegExp, text: string) =>
    assert.throws(
      () => linked(text),
      (error: unknown) => error instanceof EmitError && error.code === code && words.test(error.message),
    );
  refuses('UnknownName', /function no_such/, 'program a "raw_tp"\n0:\n  r0 = call no_such()\n  return r0');
  refuses(
    'UnknownName',
    /global pairs/,
    'program a "raw_tp"\n0:\n  r0 = global pairs\n  r1 = u64 [r0 + 0]\n  return r1',
  );
  refuses('StackTooLarge', /520 bytes/, 'program a "raw_tp" frames 512 8\n0:\n  return 0');
  assert.throws(() => new Externs(new Uint8Array(100)), EmitError);
  assert.throws(() => native.openLinked([new Uint8Array(64)]), { code: 'InvalidObject' });
  assert.throws(() => native.openLinked(['/tmp/no-such-file.o']), { code: 'NotFound' });
  assert.throws(() => native.openLinked([]), { code: 'InvalidArgument' });
});

test('a tracepoint program counts into a per-CPU hash and calls a function of the runtime', () => {
  const getuid = process.arch === 'arm64' ? 174 : 102;
  const object = linked(`
    map map_calls: percpuHash of 64 from u64 to u64
    global last: u64
    program count "tracepoint" frames 8 8
    0:
      r0 = context
      r1 = u64 [r0 + 8]
      if r1 == ${getuid} goto 1 else 5
    1:
      r2 = helper 14()
      r3 = r2 >> 32
      if r3 == ${process.pid} goto 2 else 5
    2:
      r4 = frame 0
      u64 [r4 + 0] = r3
      r5 = map map_calls
      r6 = helper 1(r5, r4)
      if r6 != 0 goto 3 else 4
    3:
      r7 = u64 [r6 + 0]
      r8 = r7 + 1
      u64 [r6 + 0] = r8
      r9 = call stepped(r3)
      r10 = global last
      u64 [r10 + 0] = r9
      goto 5
    4:
      r11 = frame 1
      u64 [r11 + 0] = 1
      r12 = 1
      r13 = helper 2(r5, r4, r11, r12)
      goto 5
    5:
      return 0`);
  assert.deepEqual(
    object.programs.map(({ name, section }) => `${section} ${name}`),
    ['tracepoint count'],
  );
  object.setVariable('step', 5n);
  object.load();
  const attached = object.attach('count', {
    kind: 'tracepoint',
    category: 'raw_syscalls',
    name: 'sys_enter',
  });
  for (let i = 0; i < 1000; i++) process.getuid?.();
  attached.close();
  const { count, values } = object.map('map_calls').bytes({ perCpu: true });
  const each = new BigUint64Array(values.buffer, values.byteOffset, values.length / 8);
  assert.equal(count, 1);
  assert.equal(
    each.reduce((sum, value) => sum + value, 0n),
    1000n,
  );
  assert.deepEqual(object.map('map_calls').entries(), [{ key: BigInt(process.pid), value: 1000n }]);
  assert.equal(object.getVariable('calls'), 999n);
  assert.equal(object.getVariable('last'), BigInt(process.pid) + 5n);
});
