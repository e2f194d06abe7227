// An agent from outside: a process, called over gRPC with TLS as the operator calls it, on pods made of cgroups. What is lost on the way, stopped or killed,
// loses nothing that was said to be kept. Neighbours: agent/main.ts, agent/jobs.ts.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type AgentApi, AgentCallError, type RunHead, type RunOrder } from '../../agent/api.ts';
import { planTrace } from '../../bpf/plan.ts';
import { loadGadget } from '../../bpf/registry.ts';
import { native } from '../../native/index.ts';
import { makeTestNode, type TestNode, until, writeCertificates } from '../support/agent.ts';
import { type FakeNode, makeNode } from '../support/pods.ts';
import { workload } from '../support/workload.ts';

const opens = await workload('opens');
const open = async (group: string, count: number): Promise<void> => {
  const argv = [opens, `${count}`, `${count}`, '/', '/missing'];
  await native.spawnInCgroup(group, argv, { PATH: '/usr/bin:/bin' }, '/').exited;
};
const never = new AbortController().signal;

interface Place {
  node: TestNode;
  pods: FakeNode;
  group: string;
  order: RunOrder;
}

/** A node with a pod that has one container. */
async function place(t: TestContext, gadget = 'open-files', durationMs = 60_000): Promise<Place> {
  const node = await makeTestNode();
  const pods = makeNode('systemd');
  t.after(async () => {
    await node.remove();
    pods.remove();
  });
  const pod = pods.pod(1);
  pod.container();
  const group = pod.container();
  return {
    node,
    pods,
    group,
    order: {
      job: { name: 'checkout', namespace: 'shop', uid: 'b5cbb1a4-6d5c-4d9c-8f0a-3f4ab0d3c001' },
      plan: planTrace(await loadGadget(gadget), {}),
      pods: [pod.target('shop', 'checkout-1', { api: group })],
      durationMs,
      budget: {},
      redact: 'None',
    },
  };
}

async function fetched(agent: AgentApi, uid: string): Promise<{ head: RunHead; lines: string[] }> {
  const { head, rows } = await agent.fetch(uid, 0n, never);
  const parts: Uint8Array[] = [];
  for await (const part of rows) parts.push(part);
  const all = Buffer.concat(parts);
  assert.equal(BigInt(all.length), head.bytes);
  assert.equal(createHash('sha256').update(all).digest('hex'), head.sha256);
  return { head, lines: all.toString().split('\n').slice(0, -1) };
}

const missing = (lines: string[]): number =>
  lines.filter((line) => {
    const row: { container: string; path: string } = JSON.parse(line);
    return row.path.includes('missing') && row.container === 'api';
  }).length;

test('a job runs, ends by its own deadline while nobody listens, is fetched, and forgotten when acknowledged', async (t) => {
  const { node, group, order } = await place(t, 'open-files', 1500);
  const agent = (await node.start()).connect();
  const { uid } = order.job;
  const leave = new AbortController();
  const running = await until(agent, order, 'Running', leave.signal);
  leave.abort();
  assert.ok(running.attachedAt > 0n);
  await open(group, 1000);
  await assert.rejects(agent.fetch(uid, 0n, never), { code: 'Refused', message: /it is Running/ });
  await assert.rejects(agent.acknowledge(uid), { code: 'Refused' });
  await setTimeout(2000);
  assert.deepEqual((await agent.describe()).jobs, [{ uid, phase: 'Finished' }]);
  const report = await until(agent, order, 'Finished');
  assert.deepEqual([report.reason, report.podsTraced, report.events.lost], [undefined, 1, 0n]);
  const { head, lines } = await fetched(agent, uid);
  assert.equal(missing(lines), 1000);
  assert.deepEqual([head.meta.ended, head.meta.events.recorded], ['Duration', BigInt(lines.length)]);
  assert.equal(head.meta.startTime, report.attachedAt);
  await agent.acknowledge(uid);
  await agent.acknowledge(uid);
  assert.deepEqual(readdirSync(node.spool), []);
  await assert.rejects(agent.fetch(uid, 0n, never), { code: 'UnknownJob' });
  // An order that comes late starts nothing.
  await assert.rejects(until(agent, order, 'Running'), /Discarded/);
  await assert.rejects(agent.retarget(uid, []), { code: 'UnknownJob' });
  await agent.stop(uid, false);
  agent.close();
});

test('a connection that is dropped and made again 20 times loses nothing and doubles nothing', async (t) => {
  const { node, group, order } = await place(t);
  const served = await node.start();
  for (let round = 0; round < 20; round++) {
    const agent = served.connect();
    const cut = new AbortController();
    await until(agent, order, 'Running', cut.signal);
    await open(group, 100);
    cut.abort();
    agent.close();
  }
  const agent = served.connect();
  const finished = until(agent, order, 'Finished');
  await agent.stop(order.job.uid, false);
  await finished;
  // The rows, too, a piece at a time.
  const parts: Uint8Array[] = [];
  let from = 0n;
  for (let head: RunHead | undefined; head === undefined || from < head.bytes; ) {
    const other = served.connect();
    const found = await other.fetch(order.job.uid, from, never);
    head = found.head;
    for await (const part of found.rows) {
      const piece = part.subarray(0, Math.ceil(Number(head.bytes) / 20));
      parts.push(piece);
      from += BigInt(piece.length);
      break;
    }
    other.close();
  }
  const { lines } = await fetched(agent, order.job.uid);
  assert.equal(Buffer.concat(parts).toString(), `${lines.join('\n')}\n`);
  assert.equal(missing(lines), 2000);
  agent.close();
});

test('an agent that is killed says after its restart that the job was interrupted, and has what it had saved', async (t) => {
  const { node, group, order } = await place(t);
  const first = await node.start();
  const agent = first.connect();
  await until(agent, order, 'Running');
  await open(group, 1000);
  await setTimeout(1500);
  await first.end('SIGKILL');
  agent.close();
  const again = (await node.start()).connect();
  const report = await until(again, order, 'Finished');
  assert.equal(report.reason, 'Interrupted');
  const { head, lines } = await fetched(again, order.job.uid);
  assert.equal(missing(lines), 1000);
  assert.equal(head.meta.ended, 'Failed');
  assert.equal(head.meta.events.recorded, BigInt(lines.length));
  assert.ok(head.meta.warnings.some(({ reason }) => reason === 'Interrupted'));
  assert.deepEqual(
    head.meta.owners.map(({ container }) => container),
    ['api'],
  );
  again.close();
});

test('of what the kernel aggregates nothing is left when an agent is killed, and the job has failed', async (t) => {
  const { node, group, order } = await place(t, 'syscall-counts');
  const first = await node.start();
  const agent = first.connect();
  await until(agent, order, 'Running');
  await open(group, 100);
  await first.end('SIGKILL');
  agent.close();
  const second = await node.start();
  const again = second.connect();
  await assert.rejects(until(again, order, 'Finished'), /Failed Interrupted/);
  assert.deepEqual((await again.describe()).jobs, [{ uid: order.job.uid, phase: 'Failed' }]);
  again.close();
});

test('an agent that is told to end keeps the runs of its jobs, and the next one has them', async (t) => {
  const { node, group, order } = await place(t, 'syscall-counts');
  const first = await node.start();
  const agent = first.connect();
  await until(agent, order, 'Running');
  await open(group, 400);
  const last = until(agent, order, 'Finished');
  assert.equal(await first.end('SIGTERM'), 0);
  assert.equal((await last).reason, 'Interrupted');
  agent.close();
  mkdirSync(join(node.spool, 'no job'));
  writeFileSync(join(node.spool, 'rest.json'), '{}');
  const again = (await node.start()).connect();
  const report = await until(again, order, 'Finished');
  assert.equal(report.reason, 'Interrupted');
  const { head, lines } = await fetched(again, order.job.uid);
  const openat = lines.map((line): { key: unknown[]; value: number[] } => JSON.parse(line));
  assert.equal(openat.find(({ key }) => key.includes('openat'))?.value[0], 200);
  assert.ok(head.meta.warnings.some(({ reason }) => reason === 'Interrupted'));
  assert.deepEqual(readdirSync(node.spool), [order.job.uid]);
  again.close();
});

test('a job that is stopped with its result thrown away leaves nothing but that', async (t) => {
  const { node, group, order } = await place(t);
  const agent = (await node.start()).connect();
  await until(agent, order, 'Running');
  await open(group, 100);
  const end = until(agent, order, 'Finished');
  end.catch(() => undefined);
  await agent.stop(order.job.uid, true);
  await assert.rejects(end, /Failed Discarded/);
  assert.ok(!existsSync(join(node.spool, order.job.uid, 'run')));
  await assert.rejects(agent.fetch(order.job.uid, 0n, never), { code: 'Refused' });
  await agent.acknowledge(order.job.uid);
  assert.deepEqual(readdirSync(node.spool), []);
  agent.close();
});

test('a job that cannot run fails with its reason, and one that is too many is told to wait', async (t) => {
  const { node, order } = await place(t);
  const agent = (await node.start('--max-jobs', '1', '--max-memory', '40Mi')).connect();
  const named = (uid: string, change: Partial<RunOrder['plan']> = {}): RunOrder => ({
    ...order,
    job: { ...order.job, uid },
    plan: { ...order.plan, ...change },
  });
  await assert.rejects(until(agent, named('one', { trace: 'no-such' }), 'Running'), /Failed ObjectMissing/);
  await assert.rejects(
    until(agent, named('two', { maxEntries: { events: 64 << 20 } }), 'Running'),
    /Failed NodeBusy with this job, maps and rings on this node would take .* of the 40 MiB/,
  );
  await until(agent, named('three'), 'Running');
  await assert.rejects(until(agent, named('four'), 'Running'), /Failed NodeBusy 1 jobs run/);
  await agent.stop('three', false);
  await until(agent, named('three'), 'Finished');
  await until(agent, named('four'), 'Running');
  agent.close();
});

test('new certificates are taken up without a restart, and only the operator is let in', async (t) => {
  const { node } = await place(t);
  const served = await node.start();
  const before = served.connect();
  await before.describe();
  const answer = await fetch(`http://127.0.0.1:${served.healthPort}/readyz`);
  assert.equal(answer.status, 200);
  const fresh = await node.authority.sign([{ type: 'dns', value: 'agent.sonde.internal' }]);
  writeCertificates(node.tls, fresh);
  for (let tries = 0; !served.log().includes('new certificates') && tries < 100; tries++)
    await setTimeout(100);
  const serial = await new Promise<string>((resolve, reject) => {
    const { ca, certificate, key } = node.operator;
    const options = { ca, cert: certificate, key, servername: 'agent.sonde.internal' };
    const socket = connectTls({ port: served.port, host: '127.0.0.1', ...options }, () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? '');
      socket.destroy();
    }).on('error', reject);
  });
  assert.equal(serial, fresh.certificate.endsWith('\n') ? fresh.certificate : `${fresh.certificate}\n`);
  await before.describe();
  const stranger = served.connect({ ...(await node.authority.agent()) });
  await assert.rejects(stranger.describe(), AgentCallError);
  stranger.close();
  before.close();
});

test('garbage, a thousand idle connections and a message of a gibibyte: it serves on, in as much memory', async (t) => {
  const { node } = await place(t);
  const served = await node.start();
  const agent = served.connect();
  await agent.describe();
  const resident = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${served.pid}/status`, 'utf8'))?.[1]);
  const before = resident();
  const idle = Array.from({ length: 1000 }, (_, index) => {
    const socket = connectTcp(served.port, '127.0.0.1').on('error', () => undefined);
    if (index % 2 === 0) socket.write(Buffer.alloc(64_000, index));
    return socket;
  });
  await setTimeout(500);
  assert.equal(await sendGibibyte(served.port, node), 'refused');
  const other = served.connect();
  await other.describe();
  assert.ok(resident() - before < 64 << 10, `${before} kB before, ${resident()} kB after`);
  for (const socket of idle) socket.destroy();
  other.close();
  agent.close();
});

/** The operator's own certificate, and a message that says it is 1 GiB long, with as much as the agent takes of it. */
async function sendGibibyte(port: number, node: TestNode): Promise<string> {
  const { connect } = await import('node:http2');
  const { ca, certificate, key } = node.operator;
  const session = connect(`https://127.0.0.1:${port}`, {
    ca,
    cert: certificate,
    key,
    servername: 'agent.sonde.internal',
    checkServerIdentity: () => undefined,
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  session.on('error', () => resolve('refused'));
  const stream = session.request({
    ':method': 'POST',
    ':path': '/sonde.agent.v1alpha1.Agent/Run',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => resolve('refused'));
  const refused = (headers: { 'grpc-status'?: unknown }) => {
    if (headers['grpc-status'] !== undefined)
      resolve(headers['grpc-status'] === '8' ? 'refused' : `status ${String(headers['grpc-status'])}`);
  };
  stream.on('response', refused).on('trailers', refused).resume();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 << 30, 1);
  stream.write(head);
  const block = Buffer.alloc(1 << 20);
  let sent = 0;
  const more = (): void => {
    while (sent < 1 << 30 && !stream.destroyed && !stream.closed) {
      sent += block.length;
      if (!stream.write(block)) return;
    }
    if (sent >= 1 << 30) resolve('taken whole');
  };
  stream.on('drain', more);
  more();
  const said = await promise;
  session.destroy();
  return said;
}
