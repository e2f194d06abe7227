// The agent's port on loopback, with real gRPC and TLS: every call carries what agent/api.ts says, and who is not the operator gets nothing.
// Neighbours: agent/serve.ts, agent/client.ts, agent/door.ts; test/support/certificates.ts makes the authority.

import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type Authority, makeAuthority } from '../test/support/certificates.ts';
import {
  type AgentApi,
  AgentCallError,
  type PartUpload,
  protocol,
  type Report,
  type RunFile,
  type RunOrder,
} from './api.ts';
import type { Certificates } from './certificates.ts';
import { connectAgent, operatorCredentials } from './client.ts';
import { namesUri } from './door.ts';
import { type ServedAgent, serveAgent } from './serve.ts';
import { order, report } from './testdata/messages.ts';

const authority = await makeAuthority();
const operator = await authority.operator();

const runFile: RunFile = {
  name: 'events.jsonl',
  mediaType: 'application/x-ndjson',
  bytes: 1n << 40n,
  sha256: 'b'.repeat(64),
};

const part: PartUpload = {
  uid: 'uid-1',
  file: 'events.jsonl',
  from: 1n << 33n,
  bytes: 8 << 20,
  url: 'https://bucket.example/key?partNumber=2&X-Amz-Signature=abc',
  headers: { 'content-range': 'bytes 0-1/2' },
};

/** What the served side was asked, and what it answers. */
interface Played {
  asked: unknown[];
  reports: Report[];
  rows: Uint8Array[] | AsyncIterable<Uint8Array>;
}

function play(played: Played): AgentApi {
  return {
    describe: async () => ({
      node: 'node-1',
      version: '0.1.0',
      protocol,
      kernel: '6.18',
      arch: 'x86',
      features: { btf: true, kprobe: false },
      gadgets: [
        { gadget: 'cpu-profile', hooks: ['perf_event'] },
        { gadget: 'other', hooks: [], reason: 'no' },
      ],
      jobs: [{ uid: 'a-b', phase: 'Running' }],
    }),
    async *run(asked) {
      played.asked.push(asked);
      yield* played.reports;
    },
    async retarget(uid, pods) {
      played.asked.push({ uid, pods });
    },
    async stop(uid, discard) {
      if (uid === 'unknown') throw new AgentCallError('UnknownJob', 'no such job');
      played.asked.push({ uid, discard });
    },
    async fetch(uid, from, _signal, file) {
      played.asked.push({ uid, from, ...(file === undefined ? {} : { file }) });
      async function* rows() {
        yield* played.rows;
      }
      const { length } = Array.isArray(played.rows) ? Buffer.concat(played.rows) : { length: 0 };
      return {
        head: {
          meta: played.asked[0] as never,
          bytes: BigInt(length),
          sha256: 'a'.repeat(64),
          files: [runFile],
        },
        rows: rows(),
      };
    },
    async upload(part) {
      played.asked.push(part);
      return { status: 200, etag: '"a1"', message: '' };
    },
    async acknowledge(uid) {
      played.asked.push({ uid });
    },
    close: () => undefined,
  };
}

async function serving(
  use: (served: ServedAgent, played: Played, strangers: string[]) => Promise<void>,
  certificates?: Certificates,
): Promise<void> {
  const played: Played = { asked: [], reports: [], rows: [] };
  const strangers: string[] = [];
  const served = await serveAgent({
    api: play(played),
    port: 0,
    host: '127.0.0.1',
    certificates: certificates ?? (await authority.agent()),
    onStranger: (_from, why) => strangers.push(why),
  });
  try {
    await use(served, played, strangers);
  } finally {
    await served.close();
  }
}

async function calling(
  { port }: ServedAgent,
  use: (agent: AgentApi) => Promise<void>,
  certificates: Certificates = operator,
): Promise<void> {
  const agent = connectAgent({
    address: `127.0.0.1:${port}`,
    credentials: operatorCredentials(certificates),
  });
  try {
    await use(agent);
  } finally {
    agent.close();
  }
}

const never = new AbortController().signal;

test('every call arrives as it was made, and its answer as it was given', async () => {
  await serving(async (served, played) => {
    played.reports = [{ ...report, phase: 'Running' }, report];
    const rowsSent = [Buffer.alloc(300_000, 'a'), Buffer.alloc(1_000_000, 'b'), Buffer.from('c\n')];
    played.rows = rowsSent;
    await calling(served, async (agent) => {
      assert.equal((await agent.describe()).features.kprobe, false);
      const reports: Report[] = [];
      for await (const each of agent.run(order, never)) reports.push(each);
      assert.deepEqual(reports, played.reports);
      await agent.retarget('uid-1', order.pods);
      await agent.stop('uid-1', true);
      await agent.acknowledge('uid-1');
      const { head, rows } = await agent.fetch('uid-1', 7n, never);
      const parts: Uint8Array[] = [];
      for await (const part of rows) parts.push(part);
      assert.ok(parts.every(({ length }) => length <= 256 << 10));
      assert.ok(Buffer.concat(parts).equals(Buffer.concat(rowsSent)));
      assert.deepEqual(head.meta, order as unknown);
      assert.equal(head.bytes, 1_300_002n);
      assert.deepEqual(head.files, [runFile]);
      for await (const _part of (await agent.fetch('uid-1', 9n, never, 'events.jsonl')).rows);
      assert.deepEqual(await agent.upload(part), { status: 200, etag: '"a1"', message: '' });
      assert.deepEqual(played.asked, [
        order,
        { uid: 'uid-1', pods: order.pods },
        { uid: 'uid-1', discard: true },
        { uid: 'uid-1' },
        { uid: 'uid-1', from: 7n },
        { uid: 'uid-1', from: 9n, file: 'events.jsonl' },
        part,
      ]);
    });
  });
});

test('a caller that goes away in the middle of a stream ends it here too, and breaks nothing', async () => {
  await serving(async (served, played) => {
    let ended = 0;
    const endless = async function* () {
      try {
        for (;;) {
          await setTimeout(1);
          yield Buffer.alloc(100_000);
        }
      } finally {
        ended++;
      }
    };
    played.rows = endless();
    await calling(served, async (agent) => {
      for await (const _part of (await agent.fetch('uid-1', 0n, never)).rows) break;
      for (let tries = 0; ended === 0 && tries < 100; tries++) await setTimeout(10);
      assert.equal(ended, 1);
      const cut = new AbortController();
      const { rows } = await agent.fetch('uid-1', 0n, cut.signal);
      cut.abort();
      await assert.rejects(async () => {
        for await (const _part of rows);
      }, AgentCallError);
      assert.equal((await agent.describe()).node, 'node-1');
    });
  });
});

test('errors come with their code, and an order that is none is refused with the member that is wrong', async () => {
  await serving(async (served, played) => {
    await calling(served, async (agent) => {
      await assert.rejects(agent.stop('unknown', false), { code: 'UnknownJob', message: /no such job/ });
      await assert.rejects(agent.stop('../../etc', false), { code: 'Refused', message: /job_uid/ });
      const wrong: RunOrder = { ...order, plan: { ...order.plan, subject: 'everybody' as 'current' } };
      const reading = agent.run(wrong, never)[Symbol.asyncIterator]().next();
      await assert.rejects(reading, { code: 'Refused', message: /plan\.subject must be one of current/ });
      const long: RunOrder = { ...order, job: { ...order.job, name: 'x'.repeat(5 << 20) } };
      await assert.rejects(agent.run(long, never)[Symbol.asyncIterator]().next(), { code: 'Refused' });
      assert.deepEqual(played.asked, []);
    });
  });
});

const elsewhere: Authority = await makeAuthority();
const turnedAway: [who: string, certificates: () => Promise<Certificates>][] = [
  ["another authority's operator", () => elsewhere.operator()],
  [
    'an expired operator',
    () => authority.sign([{ type: 'url', value: 'spiffe://sonde/operator' }], { expired: true }),
  ],
  ['another agent', () => authority.agent()],
  ['another identity', () => authority.sign([{ type: 'url', value: 'spiffe://sonde/operator2' }])],
  ['a DNS name like the identity', () => authority.sign([{ type: 'dns', value: 'spiffe://sonde/operator' }])],
];
for (const [who, certificates] of turnedAway)
  test(`${who} is turned away`, async () => {
    await serving(async (served, _played, strangers) => {
      const theirs = await certificates();
      // Whoever it is, it knows the agents' authority.
      await calling(
        served,
        async (agent) => {
          await assert.rejects(
            agent.describe(),
            (error) =>
              error instanceof AgentCallError && ['Unreachable', 'Unauthenticated'].includes(error.code),
          );
        },
        { ...theirs, ca: operator.ca },
      );
      assert.ok(strangers.length > 0);
    });
  });

test('an agent that is not one is not spoken to', async () => {
  await serving(
    async (served) => {
      await calling(served, async (agent) => {
        await assert.rejects(agent.describe(), { code: 'Unauthenticated' });
      });
    },
    await authority.sign([{ type: 'dns', value: 'somebody.else' }]),
  );
});

test('TLS 1.2, no certificate and no TLS at all are turned away', async () => {
  await serving(async (served, _played, strangers) => {
    const { ca } = operator;
    const { certificate, key } = operator;
    const base = { port: served.port, host: '127.0.0.1', ca, servername: 'agent.sonde.internal' };
    for (const options of [{ ...base, cert: certificate, key, maxVersion: 'TLSv1.2' as const }, base]) {
      const socket = connectTls(options);
      const ended = Promise.withResolvers<void>();
      socket.on('error', () => ended.resolve());
      socket.on('close', () => ended.resolve());
      await ended.promise;
    }
    const plain = connectTcp(served.port, '127.0.0.1');
    plain.write('GET / HTTP/1.1\r\n\r\n');
    const closed = Promise.withResolvers<void>();
    plain.on('error', () => undefined).on('close', () => closed.resolve());
    await closed.promise;
    assert.equal(strangers.length, 3);
  });
});

test('a thousand idle connections and garbage on them keep nobody out', async () => {
  await serving(async (served) => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 1000; index++) {
      const socket = connectTcp(served.port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (index % 3 === 0) socket.write(Buffer.alloc(20_000, index));
      sockets.push(socket);
    }
    await setTimeout(200);
    await calling(served, async (agent) => {
      assert.equal((await agent.describe()).node, 'node-1');
    });
    for (const socket of sockets) socket.destroy();
  });
});

test('new certificates are used from the next connection on, without closing those that are there', async () => {
  await serving(async (served) => {
    await calling(served, async (before) => {
      await before.describe();
      const next = await makeAuthority();
      served.use(await next.agent());
      await before.describe();
      await calling(served, async (old) => {
        await assert.rejects(old.describe());
      });
      await calling(
        served,
        async (after) => {
          assert.equal((await after.describe()).node, 'node-1');
        },
        await next.operator(),
      );
      await assert.rejects(async () => served.use({ ...(await next.agent()), key: operator.key }));
    });
  });
});

test('a name that only looks like the identity is not it', () => {
  assert.ok(namesUri('DNS:a, URI:spiffe://sonde/operator', 'spiffe://sonde/operator'));
  assert.ok(!namesUri('DNS:"a, URI:spiffe://sonde/operator, b"', 'spiffe://sonde/operator'));
  assert.ok(!namesUri('URI:spiffe://sonde/operator/x', 'spiffe://sonde/operator'));
  assert.ok(!namesUri('', 'spiffe://sonde/operator'));
});
