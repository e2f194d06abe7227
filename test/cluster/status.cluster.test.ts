// What a job's status says, of every gadget, when what is traced is hostile: it stays under 16 KiB and holds no argument, path, payload or DNS name, since whoever
// may `view` a namespace reads it. Events neither. Neighbours: results/public.ts (the rule), operator/status.ts (the bound).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadGadgets } from '../../bpf/registry.ts';
import { memberName } from '../../crds/trace-job.ts';
import { cluster } from './support/cluster.ts';
import { ended, type JobObject, type JobWish, job, resource, testStore } from './support/jobs.ts';
import { sonde } from './support/sonde.ts';
import { runPods } from './support/workloads.ts';

const testCluster = await cluster();
await sonde(testCluster);
const gadgets = await loadGadgets();

/** In whatever is not to be read. */
const mark = 'm4rk';

/** Names that a shell can say, and what a terminal or a page would obey. */
const hostile = `${mark}-$(printf '\\033[31m\\r\\n')<script>alert(1)</script>`;
const work = [
  `touch "/tmp/${mark}-path"`,
  `mkdir -p "/tmp/${mark}-folder"`,
  'while true; do',
  `  /workloads/opens 8 2 "/tmp/${mark}-path" "/tmp/${mark}-missing" "${hostile}"`,
  `  /workloads/odd open 4 "comm" "/tmp/${mark}-missing/$(printf '\\377\\n')"`,
  `  /workloads/odd run "comm" /workloads/odd nothing --password=${mark}-secret "${hostile}"`,
  `  echo "${mark}-payload" > "/tmp/${mark}-folder/file"; ls -l "/tmp/${mark}-folder" > /dev/null`,
  `  rm "/tmp/${mark}-folder/file"`,
  `  timeout 1 nslookup ${mark}.example.com > /dev/null 2>&1`,
  `  echo "GET /${mark}-payload" | timeout 1 nc 127.0.0.1 9 > /dev/null 2>&1`,
  `  timeout 1 wget -q -O /dev/null "http://127.0.0.1:8080/${mark}-payload?token=${mark}" 2> /dev/null`,
  `  /workloads/burns 0.05 1`,
  '  sleep 0.1',
  'done',
].join('\n');
const server = `mkdir -p /tmp/www && echo ${mark}-payload > /tmp/www/${mark}-payload && httpd -p 8080 -h /tmp/www; ${work}`;

let namespace: string;
let store: string;
const endings: (() => unknown)[] = [];
before(async () => {
  const context = { after: (end: () => unknown) => endings.push(end) } as never;
  namespace = await testCluster.namespace(context);
  store = (await testStore(testCluster, context)).name;
  const pods = testCluster.nodes.map((node, index) => ({
    // As long as names may be: what fills a status is how many of them there are.
    name: `${'n'.repeat(60)}-${index}`,
    namespace,
    node,
    command: ['sh', '-c', server] as [string, ...string[]],
    labels: { app: 'hostile' },
  }));
  await runPods(testCluster, pods);
});
after(async () => {
  for (const end of endings.reverse()) await end();
});

/** As many as a node takes at a time. */
const atOnce = 4;
const statuses = new Map<string, Promise<JobObject>>();

async function traceOf(name: string): Promise<JobObject> {
  const gadget = gadgets.find((each) => each.name === name) ?? assert.fail();
  const kind = gadget.sees === 'node' ? 'ClusterTraceJob' : 'TraceJob';
  const wish: JobWish = {
    kind,
    name: `${name}-${namespace}`,
    ...(kind === 'TraceJob' ? { namespace } : {}),
    trace: { [memberName(name)]: {} },
    target: { selector: { matchLabels: { app: 'hostile' } } },
    duration: '4s',
    store,
    spec: { redact: 'None' },
  };
  await testCluster.apply(job(wish));
  if (kind === 'ClusterTraceJob')
    endings.push(() => testCluster.kubectl(['delete', resource(kind), wish.name, '--ignore-not-found']));
  await ended(testCluster, wish, 180_000);
  return (await testCluster.get<JobObject>(resource(kind), wish.name, wish.namespace)) ?? assert.fail();
}

/** Jobs run some at a time, and each test waits for its own. */
function startAll(): void {
  if (statuses.size > 0) return;
  const settled = gadgets.map(({ name }) => {
    const { promise, resolve, reject } = Promise.withResolvers<JobObject>();
    // Whoever waits for it hears of it.
    promise.catch(() => undefined);
    statuses.set(name, promise);
    return { name, resolve, reject };
  });
  const worker = async (): Promise<void> => {
    for (let next = settled.shift(); next !== undefined; next = settled.shift())
      await traceOf(next.name).then(next.resolve, next.reject);
  };
  for (let index = 0; index < atOnce; index++) void worker();
}

for (const { name } of gadgets)
  test(`${name}: the status of a hostile workload's job is small and tells nothing of it`, async (t) => {
    startAll();
    const { status } = (await statuses.get(name)) ?? assert.fail();
    // The image here has no libpcap (docs/install.md, "Packets"): that job is refused by its agents, in a status like the others'.
    const phase = name === 'packet-capture' ? 'Failed' : 'Succeeded';
    assert.equal(status?.phase, phase, JSON.stringify(status));
    const text = JSON.stringify(status);
    assert.ok(Buffer.byteLength(text) <= 16_384, `${Buffer.byteLength(text)} bytes`);
    t.diagnostic(`${Buffer.byteLength(text)} bytes; ${status?.headline}`);
    assert.doesNotMatch(text, new RegExp(mark), text);
    // What a terminal would obey: JSON writes control characters as escapes.
    assert.doesNotMatch(text, /\\u00[01]|\\u001b|<script/);
  });

test('Events of those jobs tell nothing of it', async () => {
  await Promise.all(statuses.values());
  for (const where of [namespace, 'default']) {
    const text = await testCluster.kubectl(['get', 'events.events.k8s.io', '-n', where, '-o', 'json']);
    const { items }: { items: { note?: string; regarding?: { kind: string } }[] } = JSON.parse(text);
    const notes = items
      .filter(({ regarding }) => regarding?.kind.endsWith('TraceJob'))
      .map(({ note }) => note);
    assert.doesNotMatch(JSON.stringify(notes), new RegExp(mark));
  }
});
