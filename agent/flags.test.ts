import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlagError, readFlags } from './flags.ts';

test('the command line goes before the environment, and both before what is usual', () => {
  const flags = readFlags(['--node', 'a', '--max-jobs=3'], { SONDE_MAX_JOBS: '9', SONDE_MAX_MEMORY: '64Mi' });
  assert.equal(flags.node, 'a');
  assert.deepEqual(flags.ceilings, { jobs: 3, memoryBytes: 64 << 20, cpu: 1 });
  assert.equal(flags.port, 7443);
  assert.equal(readFlags([], { SONDE_NODE: 'b', SONDE_MAX_CPU: '250m' }).ceilings.cpu, 0.25);
});

const wrong: [args: string[], says: RegExp][] = [
  [[], /--node/],
  [['--node', 'a', '--port', 'https'], /--port https: give a whole number/],
  [['--node', 'a', '--max-memory', '1 GB'], /--max-memory/],
  [['--node', 'a', '--log-level', 'loud'], /one of fatal/],
  [['--nodes', 'a'], /--nodes/],
  [['--node', 'a', 'b'], /positional/],
];
for (const [args, says] of wrong)
  test(`"${args.join(' ')}" is refused`, () =>
    assert.throws(
      () => readFlags(args, {}),
      (error) => error instanceof FlagError && says.test(error.message),
    ));
