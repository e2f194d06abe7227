// The command line of programs. Neighbour: cli/program-arguments.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesProgram, parseProgramArguments } from './program-arguments.ts';

test('a program is named by -e, or by a script before other words', () => {
  assert.equal(namesProgram(['-e', 'begin { }', '--', 'true']), true);
  assert.equal(namesProgram(['opens.bt', '--pid', '1']), true);
  assert.equal(namesProgram(['open-files', '--', 'run.bt']), false);
  assert.equal(namesProgram(['-f', 'job.yaml']), false);
});

test('parameters stand behind the script, by place or by name; flags may stand anywhere', () => {
  const read = parseProgramArguments([
    '-q',
    's.bt',
    'one',
    '2',
    '--aa=20',
    '--flag',
    '-p',
    '7',
    '-f',
    'json',
  ]);
  assert.deepEqual(read.program, { file: 's.bt' });
  assert.deepEqual(read.parameters.positional, ['one', '2']);
  assert.deepEqual(
    [...read.parameters.named],
    [
      ['aa', '20'],
      ['flag', ''],
    ],
  );
  assert.deepEqual([read.pids, read.quiet, read.format], [[7], true, 'json']);
});

test('a command is given behind -- or, without a shell, by -c', () => {
  assert.deepEqual(parseProgramArguments(['-e', 'x', '--', 'a', 'b c']).command, ['a', 'b c']);
  assert.deepEqual(parseProgramArguments(['-e', 'x', '-c', 'a \'b c\' d"e f"']).command, [
    'a',
    'b c',
    'de f',
  ]);
  assert.throws(() => parseProgramArguments(['-e', 'x', '-c', 'a', '--', 'b']), /both -c and --/);
});

test('what begins with a dash behind -- is the program’s own', () => {
  const { command, parameters } = parseProgramArguments([
    '-e',
    'x',
    'one',
    '--',
    '--depth=3',
    'two',
    '--pid',
  ]);
  assert.deepEqual([command, parameters.positional], [[], ['one', 'two']]);
  assert.deepEqual(Object.fromEntries(parameters.named), { depth: '3', pid: '' });
});

test('a dash alone is a program on standard input', () => {
  assert.equal(namesProgram(['-', 'one']), true);
  assert.deepEqual(parseProgramArguments(['-', 'one']).program, { file: '-' });
});

test('what is wrong is said in the words that people know', () => {
  const said = (args: string[]) => {
    try {
      parseProgramArguments(args);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.equal(said(['-e', 'x', '-f', 'jsonx']), 'Invalid output format "jsonx"');
  assert.equal(said(['-p', 'a1', 's.bt']), "Failed to parse pid: pid 'a1' is not a valid decimal number");
  assert.equal(
    said(['-p', '5000000', 's.bt']),
    "Failed to parse pid: pid '5000000' out of valid pid range [1,4194304]",
  );
  assert.equal(said(['-e']), '-e needs a value');
});
