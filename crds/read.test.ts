// Jobs from YAML. The samples of what can be wrong are testdata/bad/*.yaml; what is said about each is testdata/bad.txt (UPDATE_GOLDEN=1 rewrites it).

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { askedMember, readTraceJobs } from './read.ts';
import { gadgets } from './testdata/gadgets.ts';

const testdata = join(import.meta.dirname, 'testdata');

test('each sample of bad input is explained by path, line and column', () => {
  const samples = readdirSync(join(testdata, 'bad')).sort();
  const said = samples.map((sample) => {
    const text = readFileSync(join(testdata, 'bad', sample), 'utf8');
    const lines = readTraceJobs(text, gadgets).flatMap(({ problems }) =>
      problems.map(
        ({ path, line, column, message }) => `  ${line}:${column} ${path}${path ? ': ' : ''}${message}`,
      ),
    );
    assert.notEqual(lines.length, 0, `${sample} was accepted`);
    return `${sample}\n${lines.join('\n')}\n`;
  });
  const golden = join(testdata, 'bad.txt');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, said.join(''));
  assert.equal(said.join(''), readFileSync(golden, 'utf8'));
});

test('a whole job is read with defaults, exact durations and quantities', () => {
  const text = readFileSync(join(testdata, 'whole.yaml'), 'utf8');
  const documents = readTraceJobs(text, gadgets);
  assert.deepEqual(
    documents.flatMap((document) => document.problems),
    [],
  );
  assert.deepEqual(
    documents.map((document) => document.number),
    [1, 2],
  );
  assert.deepEqual(documents[0]?.job?.spec, {
    trace: { cpuProfile: { frequencyHz: 49, stacks: 'both' } },
    target: {
      selector: { matchLabels: { app: 'checkout' } },
      containers: ['api'],
      nodes: { matchLabels: { pool: 'blue' } },
      maxPods: 20,
    },
    duration: { text: '60s', nanoseconds: 60_000_000_000n },
    budget: {
      cpu: { text: '20m', nano: 20_000_000n },
      memory: { text: '64Mi', nano: 67_108_864_000_000_000n },
      events: { text: '100000', nano: 100_000_000_000_000n },
      artifacts: { text: '100Mi', nano: 104_857_600_000_000_000n },
    },
    redact: 'All',
    store: { name: 'default' },
    ttlSecondsAfterFinished: 3600,
    suspend: false,
  });
  assert.equal(documents[1]?.job?.kind, 'ClusterTraceJob');
  assert.deepEqual(documents[1]?.job?.spec.trace, { openFiles: { failedOnly: false } });
});

test('aliases that expand a thousandfold are refused, not expanded', () => {
  const bomb = ['a0: &a0 [x]'];
  for (let i = 1; i < 12; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}*a${i - 1}]`);
  const [document] = readTraceJobs(bomb.join('\n'), gadgets);
  assert.match(document?.problems[0]?.message ?? '', /alias/i);
});

test('the gadget a job asks for is found without a schema, to load that one alone', () => {
  assert.equal(askedMember('spec:\n  trace:\n    cpuProfile: {}\n'), 'cpuProfile');
  assert.equal(askedMember('spec:\n  trace: {cpuProfile: {frequencyHz: 1}}\n'), 'cpuProfile');
  assert.equal(askedMember('spec:\n  trace: # why\n    # what\n    openFiles:\n'), 'openFiles');
  assert.equal(askedMember('spec: {}'), undefined);
});

test('no text makes the reader throw, and every problem has a place and words without control characters', () => {
  const good = readFileSync(join(testdata, 'whole.yaml'), 'utf8');
  const mutated = fc
    .tuple(fc.nat(good.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 12 }))
    .map(([at, drop, insert]) => good.slice(0, at) + insert + good.slice(at + drop));
  fc.assert(
    fc.property(fc.oneof(fc.string(), mutated), (text) => {
      for (const { job, problems } of readTraceJobs(text, gadgets)) {
        assert.equal(job === undefined, problems.length > 0);
        for (const { line, column, message, path } of problems) {
          assert.ok(line >= 1 && column >= 1);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not see them
          assert.doesNotMatch(message + path, /[\u0000-\u001f\u007f-\u009f]/);
        }
      }
    }),
    { numRuns: 500 },
  );
});
