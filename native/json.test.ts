// JSON lines against JSON.parse: any bytes, any integers, times, addresses, lookups. Needs the addon, but neither root nor BPF.

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch, BatchColumn, JsonField } from './api.ts';
import { NativeError } from './errors.ts';
import { native } from './index.ts';

function texts(parts: Uint8Array[]): BatchColumn {
  const offsets = new Uint32Array(parts.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + part.length;
  });
  return { kind: 'text', offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}

async function lines(
  rows: number,
  columns: Record<string, BatchColumn>,
  fields: JsonField[],
): Promise<string[]> {
  const batch: Batch = { rows, columns, late: 0 };
  const text = Buffer.from(await native.encodeJsonLines(batch, fields));
  // Valid UTF-8, whatever went in.
  const decoded = new TextDecoder('utf-8', { fatal: true }).decode(text);
  const list = decoded.split('\n');
  assert.equal(list.pop(), '');
  return list;
}

/** Whether the bytes are UTF-8, by Node. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => new Uint8Array(Buffer.from(text))),
  fc
    .string({
      unit: fc.constantFrom('"', '\\', '\n', '\u001b', 'a', 'bcdefgh', '\u007f', '€', '𝄞', '\u2028'),
    })
    .map((text) => new Uint8Array(Buffer.from(text))),
  fc
    .constantFrom(
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
    )
    .map((bytes) => new Uint8Array(bytes)),
);

test('any bytes come out as valid JSON: the same text where they are UTF-8, else marked and whole in base64', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 20 }), async (parts) => {
      const list = await lines(parts.length, { path: texts(parts) }, [
        { name: 'path', column: 'path', as: 'text' },
      ]);
      assert.equal(list.length, parts.length);
      list.forEach((line, i) => {
        const bytes = parts[i] ?? new Uint8Array();
        const row: { path: string; path_bytes?: string } = JSON.parse(line);
        const text = utf8(bytes);
        if (text !== undefined) {
          assert.deepEqual(row, { path: text });
          return;
        }
        assert.ok(row.path.includes('\ufffd'));
        assert.deepEqual(new Uint8Array(Buffer.from(row.path_bytes ?? '', 'base64')), bytes);
      });
    }),
  );
});

test('each bad byte becomes one U+FFFD, and good text around it stays', async () => {
  const bytes = new Uint8Array([0x61, 0xff, 0xe2, 0x82, 0x62, 0xe2, 0x82, 0xac]);
  const [line = ''] = await lines(1, { name: texts([bytes]) }, [
    { name: 'name', column: 'name', as: 'text' },
  ]);
  assert.deepEqual(JSON.parse(line), {
    name: 'a\ufffd\ufffd\ufffdb€',
    name_bytes: Buffer.from(bytes).toString('base64'),
  });
});

test('lists are split at NUL, however they end', async () => {
  const parts = ['', 'ls', 'ls\0', 'ls\0-l\0\0x', '\0'].map((text) => new Uint8Array(Buffer.from(text)));
  const list = await lines(5, { arguments: texts(parts) }, [
    { name: 'arguments', column: 'arguments', as: 'list' },
  ]);
  const expected = [[], ['ls'], ['ls'], ['ls', '-l', '', 'x'], ['']];
  assert.deepEqual(
    list.map((line) => JSON.parse(line).arguments),
    expected,
  );
});

test('integers of every width keep their digits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 64n - 1n), fc.integer()),
      ),
      async (rows) => {
        const list = await lines(
          rows.length,
          {
            a: { kind: 'signed', values: BigInt64Array.from(rows, (row) => row[0]) },
            b: { kind: 'unsigned', values: BigUint64Array.from(rows, (row) => row[1]) },
            c: { kind: 'signed', values: Int16Array.from(rows, (row) => row[2]) },
            d: { kind: 'unsigned', values: Uint8Array.from(rows, (row) => row[2]) },
          },
          ['a', 'b', 'c', 'd'].map((name) => ({ name, column: name, as: 'integer' as const })),
        );
        const narrow = (value: number, bits: number) => BigInt.asIntN(bits, BigInt(value));
        assert.deepEqual(
          list,
          rows.map(
            ([a, b, c]) => `{"a":${a},"b":${b},"c":${narrow(c, 16)},"d":${BigInt.asUintN(8, BigInt(c))}}`,
          ),
        );
      },
    ),
  );
});

test('times are RFC 3339 with nanoseconds, as Date says them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.bigInt(0n, 4102444800_000000000n), { maxLength: 30 }), async (times) => {
      const offset = 1_000_000_007n;
      const values = BigUint64Array.from(times);
      const list = await lines(times.length, { time: { kind: 'unsigned', values } }, [
        { name: 'time', column: 'time', as: 'time', offset },
      ]);
      list.forEach((line, i) => {
        const at = (times[i] ?? 0n) + offset;
        const second = new Date(Number(at / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
        const rest = String(at % 1_000_000_000n).padStart(9, '0');
        assert.equal(JSON.parse(line).time, `${second}.${rest}Z`);
      });
    }),
  );
});

test('addresses: v4 and v4-mapped as v4, all others as v6', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 16, maxLength: 16 }), async (bytes) => {
      const column: BatchColumn = { kind: 'bytes', width: 16, bytes };
      const [line = ''] = await lines(1, { a: column }, [{ name: 'a', column: 'a', as: 'ipAddress' }]);
      assert.ok(isIPv6(JSON.parse(line).a));
    }),
  );
  const mapped = new Uint8Array([...new Array(10).fill(0), 255, 255, 10, 0, 0, 200]);
  const columns: Record<string, BatchColumn> = {
    a: { kind: 'bytes', width: 16, bytes: mapped },
    b: { kind: 'bytes', width: 4, bytes: mapped.subarray(12) },
  };
  const fields: JsonField[] = [
    { name: 'a', column: 'a', as: 'ipAddress' },
    { name: 'b', column: 'b', as: 'ipAddress' },
  ];
  assert.deepEqual(await lines(1, columns, fields), ['{"a":"10.0.0.200","b":"10.0.0.200"}']);
});

test('lookups, fragments, conditions and booleans', async () => {
  const columns: Record<string, BatchColumn> = {
    errno: { kind: 'signed', values: Int32Array.from([0, -2, -99]) },
    container: { kind: 'unsigned', values: BigUint64Array.from([1n, 2n, 1n]) },
    done: { kind: 'unsigned', values: Uint8Array.from([1, 0, 1]) },
  };
  const fields: JsonField[] = [
    { column: 'container', as: 'members', values: new Map([[1n, '"pod":"a","container":null']]) },
    {
      name: 'error',
      column: 'errno',
      as: 'lookup',
      values: new Map([
        [0n, 'null'],
        [-2n, '"ENOENT"'],
      ]),
      otherwise: 'integer',
    },
    { name: 'known', column: 'errno', as: 'lookup', values: new Map([[0n, '1']]) },
    { when: 'done', field: { name: 'code', column: 'errno', as: 'integer' } },
    { name: 'done', column: 'done', as: 'boolean' },
  ];
  assert.deepEqual(await lines(3, columns, fields), [
    '{"pod":"a","container":null,"error":null,"known":1,"code":0,"done":true}',
    '{"error":"ENOENT","done":false}',
    '{"pod":"a","container":null,"error":-99,"code":-99,"done":true}',
  ]);
});

test('columns that are missing, short or of the wrong kind are refused; offsets that lie are cut off', async () => {
  const field: JsonField = { name: 'a', column: 'a', as: 'text' };
  const refused = (columns: Record<string, BatchColumn>, words: RegExp) =>
    assert.throws(
      () => native.encodeJsonLines({ rows: 2, columns, late: 0 }, [field]),
      (error) => error instanceof NativeError && words.test(error.message),
    );
  refused({}, /no column a/);
  refused({ a: { kind: 'unsigned', values: new Uint8Array(2) } }, /must hold text/);
  refused({ a: { kind: 'unsigned', values: new Uint8Array(1) } }, /fewer values/);
  refused(
    { a: { kind: 'text', offsets: new Uint32Array(2), bytes: new Uint8Array(0) } },
    /rows \+ 1 offsets/,
  );
  const lying: BatchColumn = {
    kind: 'text',
    offsets: new Uint32Array([4e9, 7, 4e9]),
    bytes: new Uint8Array([65]),
  };
  assert.deepEqual(await lines(2, { a: lying }, [field]), ['{"a":""}', '{"a":""}']);
  assert.deepEqual(await lines(0, {}, []), []);
});
