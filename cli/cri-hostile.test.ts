// What a runtime's socket may answer: any bytes at all. Neighbour: cli/cri.test.ts (a runtime that speaks the CRI).

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { CriAnswerError, containersOf, criService, listCri } from './cri.ts';

const service = await criService();
const { ListContainers: method } = service;
assert.ok(method);
const { responseDeserialize } = method;
const read = (bytes: Uint8Array) => containersOf(Buffer.from(bytes), responseDeserialize);

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 128n) return [...bytes, Number(left)];
    bytes.push(Number(left & 127n) | 128);
  }
};

/** A field with its tag and length, nested: right in form, wrong in what it says. */
const field: fc.Arbitrary<number[]> = fc.letrec<{ message: number[]; field: number[] }>((tie) => ({
  message: fc.array(tie('field'), { maxLength: 4 }).map((fields) => fields.flat()),
  field: fc
    .record({
      number: fc.integer({ min: 0, max: 20 }),
      wire: fc.nat({ max: 7 }),
      body: fc.oneof(
        { depthSize: 'small' },
        fc.array(fc.nat({ max: 255 }), { maxLength: 20 }),
        tie('message'),
      ),
      length: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { freq: 4 }),
    })
    .map(({ number, wire, body, length }) => [
      ...varint(BigInt(number * 8 + wire)),
      ...(wire === 2 ? varint(length ?? BigInt(body.length)) : []),
      ...body,
    ]),
})).field;

const message = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(field, { maxLength: 6 }).map((fields) => Uint8Array.from(fields.flat())),
);

test('any bytes are containers with names or a typed error, at once', () => {
  fc.assert(
    fc.property(message, (bytes) => {
      const before = process.cpuUsage();
      try {
        for (const [id, { names, namespace, pod }] of read(bytes)) {
          assert.ok(id !== '' && names.length > 0);
          for (const text of [id, ...names, namespace ?? '', pod ?? '']) assert.equal(typeof text, 'string');
        }
      } catch (error) {
        assert.ok(error instanceof CriAnswerError, String(error));
      }
      assert.ok(process.cpuUsage(before).user < 500_000, 'half a second for so few bytes');
    }),
    { numRuns: 3000 },
  );
});

test('messages nested a hundred thousand deep, and a field that says it is longer than there is, are read or refused', () => {
  let deep: number[] = [];
  for (let depth = 0; depth < 2000; depth++) deep = [0x1a, ...varint(BigInt(deep.length)), ...deep];
  const groups = new Uint8Array(100_000).fill(0x7b); // group 15 begins, and begins
  for (const bytes of [Uint8Array.from(deep), groups, Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07)]) {
    try {
      assert.deepEqual([...read(bytes)], []);
    } catch (error) {
      assert.ok(error instanceof CriAnswerError, String(error));
    }
  }
});

test('a runtime that answers garbage gives no names and no error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-cri-'));
  const socket = join(folder, 'runtime.sock');
  const server = new Server();
  const answers = [
    Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07),
    Buffer.alloc(1000, 0x7b),
    Buffer.from('{}'),
  ];
  let asked = 0;
  server.addService(
    { ListContainers: { ...method, responseSerialize: (bytes: Buffer) => bytes } },
    {
      ListContainers: (_: unknown, reply: (error: null, response: unknown) => void) =>
        reply(null, answers[asked++]),
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
  await promise;
  try {
    for (const _ of answers) assert.deepEqual([...(await listCri(socket))], []);
    assert.equal(asked, answers.length);
  } finally {
    server.forceShutdown();
    rmSync(folder, { recursive: true });
  }
});
