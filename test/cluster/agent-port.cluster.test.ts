// An agent's port in the cluster under those who are not the operator, and under an operator that sends too much: refused, in bounded memory, and still
// serving. Neighbours: agent/door.ts (who gets in), agent/serve.test.ts (the same on loopback, each case by itself).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type AgentApi, AgentCallError } from '../../agent/api.ts';
import type { Certificates } from '../../agent/certificates.ts';
import { connectAgent, operatorCredentials } from '../../agent/client.ts';
import { type KeyPair, lifetimes, makeAuthority, signCertificate } from '../../operator/authority.ts';
import { cluster } from './support/cluster.ts';
import { podOf, sonde, sondeNamespace } from './support/sonde.ts';
import { processOf } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const skip = testCluster.own ? false : "the cluster's pods are not reached from here";

const [node = ''] = testCluster.nodes;
const pod = await podOf(testCluster, 'agent', node);
const found = await testCluster.get<{ status: { podIP: string } }>('pod', pod, sondeNamespace);
const host = found?.status.podIP ?? '';
const port = 7443;
const servername = 'agent.sonde.internal';

/** The installation's own authority: only who may read its Secret has this. */
const held = await secret('sonde-operator-tls');
const authority: KeyPair = { certificate: held['authority.crt'] ?? '', key: held['authority.key'] ?? '' };
const ca = held['ca.crt'] ?? '';
const operator: Certificates = { ca, certificate: held['tls.crt'] ?? '', key: held['tls.key'] ?? '' };
const operatorSubject = {
  commonName: 'operator',
  names: [{ type: 'url', value: 'spiffe://sonde/operator' }],
  for: 'Client',
} as const;

async function secret(name: string): Promise<Record<string, string>> {
  const object = await testCluster.get<{ data: Record<string, string> }>('secret', name, sondeNamespace);
  return Object.fromEntries(
    Object.entries(object?.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  );
}

async function calling<T>(certificates: Certificates, use: (agent: AgentApi) => Promise<T>): Promise<T> {
  const agent = connectAgent({
    address: `${host}:${port}`,
    credentials: operatorCredentials(certificates),
  });
  try {
    return await use(agent);
  } finally {
    agent.close();
  }
}

async function assertServes(): Promise<void> {
  assert.equal((await calling(operator, (agent) => agent.describe())).node, node);
}

async function assertTurnedAway(pair: KeyPair): Promise<void> {
  const attempt = calling({ ca, ...pair }, (agent) => agent.describe());
  await assert.rejects(
    attempt,
    (error) => error instanceof AgentCallError && ['Unreachable', 'Unauthenticated'].includes(error.code),
  );
}

const mebibyte = 1 << 20;

/** What the agent's process holds now, and the most that it has held since `resetPeak`, bytes. */
function memory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

/** Asks the agent once, so that what a first call loads is not counted; its process and what it holds. */
async function agentAtRest(): Promise<{ pid: number; before: number }> {
  await assertServes();
  const pid = await processOf(testCluster, { namespace: sondeNamespace, pod });
  return { pid, before: memory(pid).peak };
}

async function restarts(): Promise<number> {
  const now = await testCluster.get<{ status: { containerStatuses: { restartCount: number }[] } }>(
    'pod',
    pod,
    sondeNamespace,
  );
  return now?.status.containerStatuses[0]?.restartCount ?? -1;
}

test('garbage and plain HTTP are turned away, and the operator is served', { skip }, async () => {
  for (const bytes of [Buffer.alloc(100_000, 0x16), Buffer.from('GET / HTTP/1.1\r\nHost: agent\r\n\r\n')]) {
    const socket = connectTcp(port, host);
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(bytes);
    await closed;
  }
  await assertServes();
});

test('a certificate of another authority, an expired one and one of an agent are turned away', {
  skip,
}, async () => {
  const now = Date.now();
  const elsewhere = await makeAuthority(now);
  await assertTurnedAway(await signCertificate(elsewhere, operatorSubject, now));
  await assertTurnedAway(
    await signCertificate(authority, operatorSubject, now - lifetimes.certificate - 60_000),
  );
  const agents = await secret('sonde-agent-tls');
  await assertTurnedAway({ certificate: agents['tls.crt'] ?? '', key: agents['tls.key'] ?? '' });
  // The same authority's signature on a good one: what is refused above is refused for what it says.
  const good = await signCertificate(authority, operatorSubject, now);
  assert.equal((await calling({ ca, ...good }, (agent) => agent.describe())).node, node);
});

test('1,000 idle connections keep the operator out for no moment, and cost little', { skip }, async (t) => {
  const { pid, before } = await agentAtRest();
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let index = 0; index < 1000; index++) {
    const socket = connectTcp(port, host);
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  for (let round = 0; round < 5; round++) {
    await sleep(200);
    await assertServes();
  }
  const grown = memory(pid).peak - before;
  t.diagnostic(`grew by ${(grown / mebibyte).toFixed(1)} MiB`);
  assert.ok(grown < 48 * mebibyte, `it grew by ${grown} bytes`);
  assert.equal(await restarts(), 0);
});

/** Writes 1 GiB as fast as the other end takes it, until it closes; gives how much it took. */
async function pour(stream: NodeJS.WritableStream & { destroyed?: boolean }): Promise<number> {
  const chunk = Buffer.alloc(256 << 10, 0x5a);
  const closed = new Promise<'closed'>((resolve) => {
    stream.on('close', () => resolve('closed'));
    stream.on('error', () => resolve('closed'));
  });
  let sent = 0;
  while (sent < 1 << 30) {
    if (stream.destroyed === true) break;
    sent += chunk.length;
    if (stream.write(chunk)) continue;
    const drained = new Promise<'drained'>((resolve) => stream.once('drain', () => resolve('drained')));
    const silent = sleep(5_000, 'silent' as const, { ref: false });
    if ((await Promise.race([drained, closed, silent])) !== 'drained') break;
  }
  return sent;
}

test('1 GiB of a stranger, before and after a handshake, is not taken', { skip }, async (t) => {
  const { pid, before } = await agentAtRest();
  const plain = connectTcp(port, host);
  const first = await pour(plain);
  plain.destroy();
  const unnamed = connectTls({ host, port, ca, servername, ALPNProtocols: ['h2'] });
  const second = await pour(unnamed);
  unnamed.destroy();
  const grown = memory(pid).peak - before;
  t.diagnostic(`sent ${first} and ${second} bytes; grew by ${(grown / mebibyte).toFixed(1)} MiB`);
  assert.ok(first < 64 * mebibyte && second < 64 * mebibyte, `${first} and ${second} bytes were taken`);
  assert.ok(grown < 48 * mebibyte, `it grew by ${grown} bytes`);
  await assertServes();
});

test('a message of 1 GiB is refused to the operator too, in bounded memory', { skip }, async (t) => {
  const { pid, before } = await agentAtRest();
  const { certificate: cert, key } = operator;
  const session = connectHttp2(`https://${host}:${port}`, { ca, cert, key, servername });
  session.on('error', () => undefined);
  const request = session.request({
    ':method': 'POST',
    ':path': '/sonde.agent.v1alpha1.Agent/Run',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const status = new Promise<string>((resolve) => {
    const read = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) resolve(String(headers['grpc-status']));
    };
    request.on('response', read).on('trailers', read);
    request.on('close', () => resolve('closed'));
  });
  request.on('error', () => undefined).resume();
  // gRPC's own header: not compressed, 1 GiB long.
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 << 30, 1);
  request.write(head);
  const sent = await pour(request);
  const answer = await status;
  session.destroy();
  const grown = memory(pid).peak - before;
  t.diagnostic(`${sent} bytes were sent, status ${answer}; grew by ${(grown / mebibyte).toFixed(1)} MiB`);
  // RESOURCE_EXHAUSTED, or the stream was cut.
  assert.ok(answer === '8' || answer === 'closed', answer);
  assert.ok(grown < 64 * mebibyte, `it grew by ${grown} bytes`);
  await assertServes();
  assert.equal(await restarts(), 0);
});
