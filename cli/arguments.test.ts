// The command line of `sonde run`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { gadgets } from '../crds/testdata/gadgets.ts';
import { gadgetWord, parseRunArguments } from './arguments.ts';
import { CliError } from './errors.ts';
import { parametersOf, readParameters } from './parameters.ts';

const [cpuProfile, openFiles] = gadgets;
assert.ok(cpuProfile && openFiles);
const profile = { name: 'cpu-profile', word: 'cpu-profile', parameters: parametersOf(cpuProfile) };
const opens = { name: 'open-files', word: 'open-files', parameters: parametersOf(openFiles) };

test('a gadget, its parameters, targets and a command are told apart', () => {
  const args = ['cpu-profile', '--frequency-hz', '49', '--stacks=user', '--pid', '7', '--pid=8', '-d', '5s'];
  const parsed = parseRunArguments([...args, '--json', '--', 'ls', '--pid', '9', '--'], profile);
  assert.deepEqual(parsed, {
    duration: { text: '5s', nanoseconds: 5_000_000_000n },
    cgroups: [],
    pids: [7, 8],
    containers: [],
    json: true,
    parameters: [
      ['frequency-hz', '49'],
      ['stacks', 'user'],
    ],
    command: ['ls', '--pid', '9', '--'],
  });
  assert.deepEqual(readParameters(cpuProfile, parsed.parameters), { frequencyHz: 49, stacks: 'user' });
});

test('the gadget is found wherever it stands', () => {
  const known = (name: string) => name === 'cpu-profile';
  assert.equal(gadgetWord(['--frequency-hz', '49', 'cpu-profile'], known), 'cpu-profile');
  assert.equal(gadgetWord(['-d', '5s', 'cpu-profle'], known), 'cpu-profle');
  assert.equal(gadgetWord(['--json', 'cpu-profle'], known), 'cpu-profle');
  assert.equal(gadgetWord(['-f', 'job.yaml'], known), undefined);
});

test('switches can be given, negated, and take no value', () => {
  const read = (...args: string[]) =>
    readParameters(openFiles, parseRunArguments(['open-files', ...args], opens).parameters);
  assert.deepEqual(read(), { failedOnly: false });
  assert.deepEqual(read('--failed-only'), { failedOnly: true });
  assert.deepEqual(read('--failed-only', '--no-failed-only'), { failedOnly: false });
});

test('a list of numbers is given by commas, by repeating the flag, or both', () => {
  const gadget = {
    name: 'ports',
    parameters: z.object({ localPorts: z.array(z.int().min(0).max(65_535)).default([]) }),
  };
  const read = (...values: string[]) =>
    readParameters(
      gadget,
      values.map((value) => ['local-ports', value]),
    );
  assert.deepEqual(read('80,443', '8080'), { localPorts: [80, 443, 8080] });
  assert.throws(() => read('99999'), /outside the limits/);
});

test('a wrong command line says what to write', () => {
  const said = (args: string[], gadget: typeof profile | undefined = profile) => {
    try {
      const { parameters } = parseRunArguments(args, gadget);
      if (gadget === profile) readParameters(cpuProfile, parameters);
    } catch (error) {
      assert.ok(error instanceof CliError, String(error));
      assert.equal(error.exit, 2);
      return `${error.message} | ${error.advice}`;
    }
    return assert.fail(`${args.join(' ')} was accepted`);
  };
  const cases: [string, RegExp][] = [
    ['--frequncy-hz 5', /unknown flag --frequncy-hz; did you mean --frequency-hz\?/],
    ['--duration', /--duration needs a value/],
    ['--duration --json', /--duration needs a value/],
    ['--duration 60', /60 is a number without a unit; write 60s/],
    ['--duration 0', /--duration: 0 is outside the limits 1s…24h/],
    ['--duration 0s', /outside the limits 1s…24h/],
    ['--duration 9000h', /outside the limits 1s…24h/],
    ['--pid 0', /no process id/],
    ['--pid x', /no process id/],
    ['--json=yes', /--json takes no value/],
    ['--output a --output b', /--output is given 2 times/],
    ['ls -l', /"ls"\? cpu-profile is the gadget \| .*sonde run cpu-profile -- ls/],
    ['--', /-- is followed by no command/],
    ['--frequency-hz 49Hz', /--frequency-hz: "49Hz" has a unit/],
    ['--frequency-hz 5000', /--frequency-hz: 5000 is outside the limits 1…999/],
    ['--stacks usr', /--stacks: "usr" is not one of user, kernel, both; did you mean user\?/],
    ['-f job.yaml', /both -f job.yaml and the gadget cpu-profile/],
    ['-l app=checkout', /-l is about pods in a cluster.*kubectl sonde run/],
    ['-x', /unknown flag -x \| `sonde run cpu-profile --help`/],
  ];
  for (const [args, message] of cases) assert.match(said(['cpu-profile', ...args.split(' ')]), message);
});

test('no arguments make the parser throw anything but an explained error', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('--', '-f', '--pid', '--no-json', '--__proto__', '--duration=', '-', '-dp'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (args) => {
      try {
        const word = gadgetWord(args, () => false);
        parseRunArguments(args, word === undefined ? undefined : { ...profile, word });
      } catch (error) {
        assert.ok(error instanceof CliError, String(error));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not see them
        assert.doesNotMatch(error.message, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 2000 },
  );
});
