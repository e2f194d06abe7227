import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { count, find } from '../../../test/support/rows.ts';
import { trace } from '../../../test/support/trace.ts';
import { scaled, workload } from '../../../test/support/workload.ts';

const resolves = await workload('resolves');
const many = scaled(2000, 100);

/** A port that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function bound(port: number): Promise<void> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const there = () => ['udp', 'udp6'].some((file) => readFileSync(`/proc/net/${file}`, 'utf8').includes(hex));
  for (let tries = 0; !there() && tries < 200; tries++) await setTimeout(20);
}

for (const family of ['4', '6'])
  test(`each question over IPv${family} is a row with its answer; its server and a neighbour are outside, and in none`, async (t) => {
    const port = await freePort();
    const server = spawn(resolves, ['serve', family, String(port)], { stdio: 'ignore' });
    t.after(() => server.kill());
    await bound(port);
    const traced = await trace('dns-queries', {
      parameters: { port },
      inside: [[resolves, family, String(port), String(many)]],
      outside: [resolves, family, '0', '50'],
    });
    const address = family === '4' ? '127.0.0.1' : '::1';
    const ours = {
      process: 'resolves',
      remotePort: port,
      remoteAddress: address,
      type: 'A',
      container: 'test',
    };
    assert.equal(traced.meta.events.lost, 0n);
    assert.equal(traced.rows.length, many);
    assert.equal(count(traced.rows, ours), many);
    assert.equal(count(traced.rows, { code: 'NoError', address: '10.1.2.3', answers: 1 }), (many * 3) / 4);
    // Of each hundred, 25 have no such name, of which one is never answered.
    assert.equal(count(traced.rows, { code: 'NXDomain', answers: 0, address: null }), many / 4 - many / 100);
    assert.equal(count(traced.rows, { code: null, latencyNs: null }), many / 100);
    assert.equal(find(traced.rows, { name: 'q7.example.test' }).number, 7);
    const slow = traced.rows.filter(({ latencyNs }) => Number(latencyNs) > 50_000_000);
    assert.ok(slow.length <= many / 100, `${slow.length} answers of more than 50 ms`);
  });

test('as many questions as one core can ask are all there', async (t) => {
  const port = await freePort();
  const server = spawn(resolves, ['serve', '4', String(port)], { stdio: 'ignore' });
  t.after(() => server.kill());
  await bound(port);
  const questions = scaled(20_000, 100);
  const began = performance.now();
  const traced = await trace('dns-queries', {
    parameters: { port },
    inside: [1, 2].map(() => [resolves, '4', String(port), String(questions), '64'] as [string, ...string[]]),
  });
  const answered = traced.rows.filter(({ latencyNs }) => latencyNs !== undefined);
  assert.equal(traced.meta.events.lost, 0n);
  assert.equal(traced.rows.length, 2 * questions);
  t.diagnostic(`${Math.round(answered.length / ((performance.now() - began) / 1000))} answers a second`);
});
