// The whole way of a module written by hand: to bytes, linked with an object that clang made, into the kernel, and back out of its maps.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { BpfObject } from '../../native/api.ts';
import { native } from '../../native/index.ts';
import { testObject } from '../../native/test-object.ts';
import type { IrFunction, IrModule } from '../ir.ts';
import { Externs } from './externs.ts';
import { emitObject } from './object.ts';

const runtime = await testObject('runtime');
const externs = new Externs(readFileSync(runtime));
const opened: BpfObject[] = [];
after(() => {
  for (const object of opened) object.close();
});

const u64 = { kind: 'integer', bits: 64, signed: false } as const;

function linked(module: Partial<IrModule>): BpfObject {
  const whole: IrModule = {
    functions: [],
    maps: [],
    globals: [],
    license: 'Dual BSD/GPL',
    source: { name: 'test.bt', text: '' },
    ...module,
  };
  const object = native.openLinked([runtime, emitObject(whole, externs)]);
  opened.push(object);
  return object;
}

/** Counts the system calls of one number and process in a per-CPU hash, by process, and calls the runtime's `stepped` for each. */
function counter(pid: number, syscall: number): IrFunction {
  return {
    name: 'count',
    section: 'tracepoint',
    parameters: 1,
    frames: [8, 8],
    registers: 16,
    blocks: [
      {
        instructions: [
          { op: 'context', to: 0 },
          // struct trace_event_raw_sys_enter: id after the common fields
          { op: 'load', to: 1, base: 0, offset: 8, width: 8, signed: false },
        ],
        end: {
          op: 'branch',
          condition: 'eq',
          left: 1,
          right: { value: BigInt(syscall) },
          then: 1,
          otherwise: 5,
        },
      },
      {
        instructions: [
          { op: 'helper', to: 2, helper: 14, arguments: [] },
          { op: 'binary', operation: 'shr', to: 2, left: 2, right: { value: 32n } },
        ],
        end: { op: 'branch', condition: 'eq', left: 2, right: { value: BigInt(pid) }, then: 2, otherwise: 5 },
      },
      {
        instructions: [
          { op: 'frame', to: 3, frame: 0 },
          { op: 'store', base: 3, offset: 0, width: 8, from: 2 },
          { op: 'map', to: 4, map: 'map_calls' },
          { op: 'helper', to: 5, helper: 1, arguments: [4, 3] },
        ],
        end: { op: 'branch', condition: 'ne', left: 5, right: { value: 0n }, then: 3, otherwise: 4 },
      },
      {
        instructions: [
          { op: 'load', to: 6, base: 5, offset: 0, width: 8, signed: false },
          { op: 'binary', operation: 'add', to: 6, left: 6, right: { value: 1n } },
          { op: 'store', base: 5, offset: 0, width: 8, from: 6 },
          { op: 'call', to: 7, function: 'stepped', arguments: [2] },
          { op: 'global', to: 8, name: 'last' },
          { op: 'store', base: 8, offset: 0, width: 8, from: 7 },
        ],
        end: { op: 'jump', to: 5 },
      },
      {
        instructions: [
          { op: 'frame', to: 9, frame: 1 },
          { op: 'store', base: 9, offset: 0, width: 8, from: { value: 1n } },
          { op: 'constant', to: 10, value: 1n },
          { op: 'helper', to: 11, helper: 2, arguments: [4, 3, 9, 10] },
        ],
        end: { op: 'jump', to: 5 },
      },
      { instructions: [], end: { op: 'return', value: { value: 0n } } },
    ],
  };
}

test('a tracepoint program counts into a per-CPU hash and calls a function of the runtime', () => {
  const getuid = process.arch === 'arm64' ? 174 : 102;
  const object = linked({
    functions: [counter(process.pid, getuid)],
    maps: [{ name: 'map_calls', type: 'percpuHash', key: u64, value: u64, entries: 64 }],
    globals: [{ name: 'last', type: u64 }],
  });
  assert.deepEqual(
    object.programs.map(({ name, section }) => `${section} ${name}`),
    ['tracepoint count'],
  );
  object.setVariable('step', 5n);
  object.setAutoload('count', true);
  object.load();
  const attached = object.attach('count', {
    kind: 'tracepoint',
    category: 'raw_syscalls',
    name: 'sys_enter',
  });
  for (let i = 0; i < 1000; i++) process.getuid?.();
  attached.close();
  assert.deepEqual(object.map('map_calls').entries(), [{ key: BigInt(process.pid), value: 1000n }]);
  assert.equal(object.getVariable('calls'), 999n);
  assert.equal(object.getVariable('last'), BigInt(process.pid) + 5n);
  const { count, values } = object.map('map_calls').bytes({ perCpu: true });
  assert.equal(count, 1);
  const each = new BigUint64Array(values.buffer, values.byteOffset, values.length / 8);
  assert.equal(
    each.reduce((sum, value) => sum + value, 0n),
    1000n,
  );
});
