// Random programs give the same results in the interpreter and in the kernel, and the verifier takes them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeError } from '../../native/errors.ts';
import { native } from '../../native/index.ts';
import { readBytes } from '../evaluate.ts';
import { Machine } from '../interpret.ts';
import type { IrModule } from '../ir.ts';
import { functionText } from '../ir-text.ts';
import { optimize } from '../optimize.ts';
import { emitObject } from './object.ts';
import { random, randomModule, randomNumber } from './random-module.ts';

/** In an emulated guest each takes seconds. */
const modules = Number(process.env.SONDE_RANDOM_MODULES ?? (process.env.SONDE_GUEST ? 3 : 30));
const perModule = 10;

function compare(module: IrModule, seed: number): void {
  // Half of them as they are: the optimizer leaves few oddities to what comes after it.
  const object = native.openLinked([emitObject(seed % 2 === 0 ? module : optimize(module))]);
  try {
    for (let i = 0; i < perModule; i++) object.setAutoload(`p${i}`, true);
    object.load();
    const machine = new Machine(module);
    const next = random(seed);
    for (let i = 0; i < perModule * 3; i++) {
      const program = `p${i % perModule}`;
      const context = BigUint64Array.from({ length: 12 }, () => BigInt.asUintN(64, randomNumber(next)));
      const expected = machine.call(program, machine.allocate(new Uint8Array(context.buffer.slice(0))));
      const left = readBytes(machine.bytes(machine.address('global', 'result'), 8));
      const returned = object.run(program, context);
      const source = () =>
        module.functions.filter((f) => [program, 'mixed'].includes(f.name)).map(functionText);
      const words = () => `seed ${seed}, ${program}(${context})\n${source().join('\n')}`;
      if (object.getVariable('result') !== left) assert.equal(object.getVariable('result'), left, words());
      if (returned !== Number(BigInt.asUintN(32, expected)))
        assert.equal(BigInt(returned), expected, words());
    }
  } catch (error) {
    if (error instanceof NativeError) error.message += `\nseed ${seed}\n${error.log?.slice(-3000)}`;
    throw error;
  } finally {
    object.close();
  }
}

test(`${modules * perModule} random programs: the kernel and the interpreter agree`, () => {
  for (let seed = 1; seed <= modules; seed++) compare(randomModule(random(seed), perModule), seed);
});
