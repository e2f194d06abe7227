import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../results/shape.ts';
import { redactBatch, redactText } from './redact.ts';

const args: Column = { name: 'arguments', type: 'textList', description: '', sensitive: 'arguments' };
const path: Column = { name: 'path', type: 'text', description: '', sensitive: 'path' };

function texts(...rows: string[]) {
  const parts = rows.map((row) => Buffer.from(row));
  const offsets = new Uint32Array(rows.length + 1);
  parts.forEach((part, row) => {
    offsets[row + 1] = (offsets[row] ?? 0) + part.length;
  });
  return { kind: 'text' as const, offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}

function rowsOf(column: unknown): string[] {
  const { offsets, bytes } = column as ReturnType<typeof texts>;
  return [...offsets.slice(1)].map((end, row) => Buffer.from(bytes.slice(offsets[row], end)).toString());
}

const cases: [name: string, text: string, expected: string][] = [
  ['a value after =', 'mysql\0--password=hunter2\0db', 'mysql\0--password=[redacted]\0db'],
  ['the next argument', 'app\0--token\0abc123\0-v', 'app\0--token\0[redacted]\0-v'],
  ['an environment assignment', 'AWS_SECRET_ACCESS_KEY=x/y+z cmd', 'AWS_SECRET_ACCESS_KEY=[redacted] cmd'],
  ['a header', 'curl\0-H\0Authorization: Bearer abc.def', 'curl\0-H\0Authorization: Bearer [redacted]'],
  ['a URL with a password', 'git\0https://bob:pw@host/x', 'git\0https://bob:[redacted]@host/x'],
  ['a key that says what it is', 'x AKIAABCDEFGHIJKLMNOP y', 'x [redacted] y'],
  ['a value with separators in it', 'app\0--password=a,b c;d\0x', 'app\0--password=[redacted]\0x'],
  [
    'a next argument with separators in it',
    'app\0--db-password\0a&b c\0x',
    'app\0--db-password\0[redacted]\0x',
  ],
  ['a value that begins like an option', 'app\0--password=-x', 'app\0--password=[redacted]'],
  ['a name with a prefix of its own', 'sh\0-c\0PGPASSWORD=x psql', 'sh\0-c\0PGPASSWORD=[redacted] psql'],
  ['a quoted value', 'sh\0-c\0app -token="a b" c', 'sh\0-c\0app -token="[redacted]" c'],
  ['a value in JSON', '{"password": "a \\" b", "n": 1}', '{"password": "[redacted]", "n": 1}'],
  ["curl's user and password", 'curl\0-u\0bob:a b\0https://host', 'curl\0-u\0bob:[redacted]\0https://host'],
  ['nothing', 'ls\0-la\0/etc/passwd', 'ls\0-la\0/etc/passwd'],
  ['an option after a secret option', 'app\0--auth\0--verbose', 'app\0--auth\0--verbose'],
];

for (const [name, text, expected] of cases)
  test(`redaction hides ${name}`, () => assert.equal(redactText(text), expected));

test('a batch without secrets keeps its columns as they are', () => {
  const batch = { rows: 2, late: 0, columns: { args: texts('ls\0-l', 'cat\0x') } };
  assert.equal(redactBatch(batch, new Map([['args', args]]), 'Secrets'), batch);
});

test('a batch is redacted row by row, and bytes that are not UTF-8 survive', () => {
  const column = texts('ls\0-l', 'a\0--password=b', 'c');
  const odd = { ...column, bytes: Uint8Array.from(column.bytes) };
  odd.bytes[0] = 0xff;
  const out = redactBatch({ rows: 3, late: 0, columns: { args: odd } }, new Map([['args', args]]), 'Secrets');
  assert.deepEqual(rowsOf(out.columns.args).slice(1), ['a\0--password=[redacted]', 'c']);
  assert.equal((out.columns.args as typeof column).bytes[0], 0xff);
});

test('redact: All hides paths as well, None hides nothing', () => {
  const batch = { rows: 1, late: 0, columns: { path: texts('/etc/x') } };
  assert.deepEqual(rowsOf(redactBatch(batch, new Map([['path', path]]), 'All').columns.path), ['[redacted]']);
  assert.equal(redactBatch(batch, new Map([['path', path]]), 'None'), batch);
  assert.equal(redactBatch(batch, new Map([['path', path]]), 'Secrets'), batch);
});

test('hostile text of a megabyte is searched in linear time', () => {
  for (const piece of [
    '_',
    '-',
    'a.',
    '://',
    'password',
    '\0token',
    'x://a:',
    '-----BEGIN PRIVATE KEY-----',
  ]) {
    // Of CPU time: a busy machine's clock says nothing of the search. Four times the text would take 16 times as long if it were quadratic.
    const spent = (length: number) => {
      const before = process.cpuUsage();
      redactText(piece.repeat(length / piece.length));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    const [quarter, whole] = [spent(250_000), spent(1_000_000)];
    assert.ok(whole < 8 * quarter + 100, `${piece} took ${quarter} ms for a quarter, and ${whole} ms`);
  }
});
