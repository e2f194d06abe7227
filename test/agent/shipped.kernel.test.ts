// The agent as it ships: the bundle, with the rights that its chart gives it and no others, in as little memory as design.md allows.
// Neighbours: build/bundle.ts, bpf/gadget.ts (Capability), test/agent/agent.kernel.test.ts.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { RunOrder } from '../../agent/api.ts';
import { planTrace } from '../../bpf/plan.ts';
import { loadGadgets } from '../../bpf/registry.ts';
import { native } from '../../native/index.ts';
import { makeTestNode, until } from '../support/agent.ts';
import { makeNode } from '../support/pods.ts';
import { workload } from '../support/workload.ts';

const bundle = join(import.meta.dirname, '../../dist/agent.js');
// As in the chart.
const command = [process.execPath, '--max-semi-space-size=1', bundle];

test('idle, also after it has said what its node can trace, it takes less than 80 MB', async (t) => {
  assert.ok(existsSync(bundle), `${bundle} is not built: npm run build`);
  const node = await makeTestNode();
  t.after(() => node.remove());
  const served = await node.startBy(command);
  const agent = served.connect();
  assert.ok((await agent.describe()).gadgets.length > 0);
  agent.close();
  await setTimeout(1000);
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${served.pid}/status`, 'utf8'))?.[1]);
  assert.ok(kilobytes * 1024 < 80e6, `${kilobytes} kB`);
});

test('with the capabilities that the gadgets name and none else, every gadget traces a pod', async (t) => {
  const gadgets = await loadGadgets();
  const capabilities = new Set(gadgets.flatMap((gadget) => gadget.capabilities));
  const bounding = ['-all', ...[...capabilities].map((name) => `+${name.toLowerCase()}`)].join(',');
  const burns = await workload('burns');
  const node = await makeTestNode();
  const pods = makeNode('systemd');
  t.after(async () => {
    await node.remove();
    pods.remove();
  });
  const pod = pods.pod(1);
  pod.container();
  const group = pod.container();
  const served = await node.startBy(['setpriv', `--bounding-set=${bounding}`, '--inh-caps=-all', ...command]);
  const agent = served.connect();
  for (const gadget of gadgets) {
    const order: RunOrder = {
      job: { name: gadget.name, namespace: 'shop', uid: `uid-${gadget.name}` },
      plan: planTrace(gadget, {}),
      pods: [pod.target('shop', 'checkout', { api: group })],
      durationMs: 60_000,
      budget: {},
      redact: 'Secrets',
    };
    await until(agent, order, 'Running');
    await native.spawnInCgroup(group, [burns, '0.3', '2'], { PATH: '/usr/bin:/bin' }, '/').exited;
    await agent.stop(order.job.uid, false);
    const report = await until(agent, order, 'Finished');
    assert.deepEqual([report.reason, report.podsTraced, report.events.lost], [undefined, 1, 0n], gadget.name);
  }
  agent.close();
});
