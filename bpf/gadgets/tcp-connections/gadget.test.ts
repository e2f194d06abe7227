import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Argv, type Traced, trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const talks = await workload('talks');
const many = scaled(200);
const sent = 1000;
const received = 70_000;

const talk = (
  mode: 'call' | 'serve' | 'both',
  family: 4 | 6,
  port: number,
  options: { count?: number; sent?: number; received?: number; how?: 'close' | 'reset' } = {},
): Argv => [
  talks,
  mode,
  String(family),
  String(port),
  String(options.count ?? many),
  String(options.sent ?? sent),
  String(options.received ?? received),
  options.how ?? 'close',
];

/** The neighbour's connections are told by their bytes. */
const neighbour = talk('both', 4, 0, { count: 20, sent: 77, received: 77 });

const count = (traced: Traced, wanted: Record<string, unknown>): number =>
  traced.rows.filter((row) => Object.entries(wanted).every(([name, value]) => row[name] === value)).length;

/** The peer outside the scope: this process. It answers `sent` bytes by `received`, when it may, and closes after its caller. */
async function answering(address: string, may?: Promise<void>): Promise<Server & { port: number }> {
  const server = createServer((socket) => {
    let heard = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', async (data) => {
      heard += data.length;
      if (heard !== sent) return;
      await may;
      socket.write(Buffer.alloc(received));
    });
  }).listen(0, address);
  await once(server, 'listening');
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

/** Calls a server inside the scope until it has had `times` connections. */
async function calling(address: string, port: number, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (!up) {
      await setTimeout(20);
      continue;
    }
    let heard = 0;
    socket.on('data', (data) => {
      heard += data.length;
      if (heard === received) socket.end();
    });
    socket.write(Buffer.alloc(sent));
    await once(socket, 'close');
    done++;
  }
}

/** Until somebody listens on the port, by IPv4. */
async function listens(port: number): Promise<void> {
  const listening = new RegExp(
    `: \\w+:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A `,
  );
  while (!listening.test(readFileSync('/proc/net/tcp', 'latin1'))) await setTimeout(20);
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = await answering('127.0.0.1');
  server.close();
  await once(server, 'close');
  return server.port;
}

for (const [family, address] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  test(`IPv${family}: connections to a peer outside are rows with their bytes, as many as bpftrace counts; no neighbour's`, async (t) => {
    const server = await answering(address);
    try {
      const traced = await trace('tcp-connections', {
        inside: [talk('call', family, server.port)],
        outside: neighbour,
        peer: () =>
          `tracepoint:sock:inet_sock_set_state /args->newstate == 7 && args->dport == ${server.port}/ { @closed = count(); }`,
      });
      assert.deepEqual(traced.exits, [{ code: 0, signal: null }]);
      assert.equal(traced.meta.events.lost, 0n);
      const known = {
        process: 'talks',
        container: 'test',
        direction: 'Outbound',
        localAddress: address,
        remoteAddress: address,
        remotePort: server.port,
        sentBytes: sent,
        receivedBytes: received,
        retransmits: 0,
        ended: 'Closed',
      };
      assert.equal(count(traced, known), many, JSON.stringify(traced.rows[0]));
      assert.equal(traced.rows.length, many);
      assert.ok(traced.rows.every(({ durationNs }) => Number(durationNs) > 0 && Number(durationNs) < 60e9));
      if (traced.peer) assert.equal(traced.peer.closed, many);
      t.diagnostic(`hooks: ${traced.meta.attached.map(({ hook }) => hook).join(', ')}`);
    } finally {
      server.close();
    }
  });

  test(`IPv${family}: connections from a peer outside are rows of who accepted them`, async () => {
    const port = await freePort();
    const times = scaled(50);
    let peer: Promise<void> | undefined;
    const traced = await trace('tcp-connections', {
      inside: () => {
        peer = calling(address, port, times);
        return [talk('serve', family, port, { count: times })];
      },
      outside: neighbour,
    });
    await peer;
    const known = {
      process: 'talks',
      direction: 'Inbound',
      localAddress: address,
      localPort: port,
      remoteAddress: address,
      sentBytes: received,
      receivedBytes: sent,
      ended: 'Closed',
    };
    assert.equal(count(traced, known), times, JSON.stringify(traced.rows[0]));
    assert.equal(traced.rows.length, times);
  });
}

test('both ends inside are two rows a connection, each of its own process', async () => {
  const traced = await trace('tcp-connections', { inside: [talk('both', 4, 0)] });
  assert.equal(traced.rows.length, 2 * many);
  const pids = (direction: string) => [
    ...new Set(traced.rows.filter((row) => row.direction === direction).map(({ pid }) => pid)),
  ];
  const [caller, server] = [pids('Outbound'), pids('Inbound')];
  assert.deepEqual([caller.length, server.length], [1, 1]);
  assert.notEqual(caller[0], server[0]);
});

test('a process tree has its connections at both ends', async () => {
  const traced = await trace('tcp-connections', { scope: 'process', inside: [talk('both', 4, 0)] });
  assert.equal(count(traced, { process: 'talks', direction: 'Outbound', sentBytes: sent }), many);
  assert.equal(count(traced, { process: 'talks', direction: 'Inbound', sentBytes: received }), many);
});

test('a process tree has what a listener from before the job accepts, by who closed it', async () => {
  // The tree's root is this process, whose server listens already.
  const server = await answering('127.0.0.1');
  try {
    const traced = await trace('tcp-connections', {
      scope: 'process',
      inside: [talk('call', 4, server.port, { count: 5 })],
    });
    const served = traced.rows.filter(({ pid }) => pid === process.pid);
    assert.ok(served.length >= 4, `${served.length} rows; the last may end after the job`);
    assert.ok(served.every(({ durationNs, direction }) => Number(durationNs) > 0 && direction === 'Inbound'));
  } finally {
    server.close();
  }
});

test('a listener from before the job: its connections have their duration, and the process that closed them', async () => {
  const port = await freePort();
  let peer: Promise<void> | undefined;
  const traced = await trace('tcp-connections', {
    before: { argv: talk('serve', 4, port, { count: 5 }), waits: () => listens(port) },
    inside: () => {
      peer = calling('127.0.0.1', port, 5);
      return [];
    },
  });
  await peer;
  assert.equal(count(traced, { direction: 'Inbound', process: 'talks', sentBytes: received }), 5);
  assert.ok(traced.rows.every(({ durationNs }) => Number(durationNs) > 0));
});

test('connections from before the job have their bytes, and no duration', async () => {
  const attached = Promise.withResolvers<void>();
  const server = await answering('127.0.0.1', attached.promise);
  const connected = once(server, 'connection');
  try {
    const traced = await trace('tcp-connections', {
      before: { argv: talk('call', 4, server.port, { count: 1 }), waits: () => connected },
      inside: () => {
        attached.resolve();
        return [];
      },
    });
    assert.deepEqual(
      traced.rows.map(({ process, sentBytes, durationNs, direction }) => [
        process,
        sentBytes,
        durationNs,
        direction,
      ]),
      [['talks', sent, undefined, undefined]],
    );
  } finally {
    server.close();
  }
});

test('how a connection ended: a reset on one side is an abort on the other, a closed port refuses', async () => {
  const traced = await trace('tcp-connections', {
    inside: [
      talk('both', 4, 0, { count: 10, how: 'reset' }),
      talk('call', 4, await freePort(), { count: 1 }),
    ],
  });
  assert.equal(count(traced, { direction: 'Outbound', ended: 'Aborted' }), 10);
  assert.equal(count(traced, { direction: 'Inbound', ended: 'Reset' }), 10);
  assert.equal(count(traced, { direction: 'Outbound', ended: 'Refused', process: 'talks', sentBytes: 0 }), 1);
  assert.equal(traced.rows.length, 21);
});

test('32 MiB are counted to the byte', async () => {
  const bytes = scaled(32 * 1024 * 1024);
  const traced = await trace('tcp-connections', {
    inside: [talk('both', 4, 0, { count: 1, sent: bytes, received: bytes + 1 })],
  });
  assert.equal(count(traced, { direction: 'Outbound', sentBytes: bytes, receivedBytes: bytes + 1 }), 1);
  assert.equal(count(traced, { direction: 'Inbound', sentBytes: bytes + 1, receivedBytes: bytes }), 1);
});

test('only a port, a family, a direction, a duration: each leaves out the rest in the kernel', async () => {
  const port = await freePort();
  const inside: Argv[] = [talk('both', 4, port, { count: 3 }), talk('both', 6, port, { count: 2 })];
  const rowsWith = async (parameters: Record<string, unknown>): Promise<number> =>
    (await trace('tcp-connections', { parameters, inside })).rows.length;
  assert.equal(await rowsWith({}), 10);
  assert.equal(await rowsWith({ localPorts: [port] }), 5);
  assert.equal(await rowsWith({ remotePorts: [1, port] }), 5);
  assert.equal(await rowsWith({ remotePorts: [port === 1 ? 2 : 1] }), 0);
  assert.equal(await rowsWith({ family: 'IPv6' }), 4);
  assert.equal(await rowsWith({ family: 'IPv4', direction: 'Inbound' }), 3);
  assert.equal(await rowsWith({ minimumDurationMs: 60_000 }), 0);
});
