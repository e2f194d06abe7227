// The cluster that scenario tests stand on: nodes, pods, their network, Services, the way through the API server, S3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { cluster } from './support/cluster.ts';
import { dropConnections } from './support/faults.ts';
import { pod, processOf, runPods } from './support/workloads.ts';

const testCluster = await cluster();

test('there are two nodes, and both are ready', async () => {
  const { items } = JSON.parse(await testCluster.kubectl(['get', 'nodes', '-o', 'json']));
  assert.ok(items.length >= 2);
  for (const { metadata, status } of items) {
    const ready = status.conditions.find(({ type }: { type: string }) => type === 'Ready');
    assert.equal(ready.status, 'True', `${metadata.name}: ${ready.message}`);
  }
});

test('pods on both nodes reach one another, a Service, and are reached by exec and through the API server', async (t) => {
  const namespace = await testCluster.namespace(t);
  const [first = '', second = ''] = testCluster.nodes;
  const serve = (text: string): [string, ...string[]] => [
    'sh',
    '-c',
    `mkdir /tmp/www && echo ${text} > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www`,
  ];
  const wishes = [first, second].map((node) => ({
    name: `web-${node}`,
    namespace,
    node,
    command: serve(node),
    labels: { web: 'yes' },
    port: 8080,
  }));
  const addresses = await runPods(testCluster, wishes);
  await testCluster.apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { web: 'yes' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    namespace,
  );
  const service = await testCluster.get<{ spec: { clusterIP: string } }>('service', 'web', namespace);
  const fetchFrom = (node: string, url: string) => {
    // Not wget's own -T, on which this busybox crashes.
    const wget = ['timeout', '3', 'wget', '-q', '-O', '-', url];
    return testCluster.kubectl(['exec', '-n', namespace, `web-${node}`, '--', ...wget]);
  };
  for (const node of [first, second]) {
    for (const [index, address] of addresses.entries()) {
      const answer = await testCluster.waitFor(`${node} reaches ${address}`, () =>
        fetchFrom(node, `http://${address}:8080/`),
      );
      assert.equal(answer.trim(), testCluster.nodes[index]);
    }
    const seen = new Set<string>();
    await testCluster.waitFor(`${node} reaches both pods through the Service`, async () => {
      seen.add((await fetchFrom(node, `http://${service?.spec.clusterIP}/`)).trim());
      return seen.size === 2 ? true : undefined;
    });
  }
  const path = `/api/v1/namespaces/${namespace}/services/http:web:http/proxy/`;
  assert.match(await testCluster.kubectl(['get', '--raw', path]), new RegExp(`${first}|${second}`));
});

test('a pod reaches the API server by its Service and its own account, and S3', async (t) => {
  const namespace = await testCluster.namespace(t);
  const manifest = pod(testCluster, { name: 'client', namespace, command: ['sleep', 'infinity'] });
  const { spec } = manifest as { spec: object };
  await testCluster.apply({ ...manifest, spec: { ...spec, automountServiceAccountToken: true } });
  await testCluster.kubectl([
    'wait',
    '-n',
    namespace,
    '--for=condition=Ready',
    'pod/client',
    '--timeout=60s',
  ]);
  const inPod = (line: string) =>
    testCluster.kubectl(['exec', '-n', namespace, 'client', '--', 'sh', '-c', line]);
  const { hostname, port } = new URL(testCluster.s3.endpoint);
  await inPod('nc -w 2 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT < /dev/null');
  await inPod(`nc -w 2 ${hostname} ${port} < /dev/null`);
  const token = await inPod('cat /var/run/secrets/kubernetes.io/serviceaccount/token');
  const who = await testCluster.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], {
    token,
  });
  assert.equal(who, `system:serviceaccount:${namespace}:default`);
});

test('S3 gives back what was put into a bucket', async (t) => {
  const { name, client } = await testCluster.bucket(t);
  await client.send(new PutObjectCommand({ Bucket: name, Key: 'a/b', Body: 'text' }));
  const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: 'a/b' }));
  assert.equal(await Body?.transformToString(), 'text');
});

test('workloads with known numbers are in the image', async (t) => {
  const namespace = await testCluster.namespace(t);
  await testCluster.apply(
    pod(testCluster, {
      name: 'counts',
      namespace,
      command: ['sh', '-c', 'touch /tmp/file && /workloads/opens 40 10 /tmp/file /tmp/missing'],
      restart: 'Never',
    }),
  );
  const phase = await testCluster.waitFor('the workload has run', async () => {
    const found = await testCluster.get<{ status: { phase: string } }>('pod', 'counts', namespace);
    return ['Succeeded', 'Failed'].find((end) => end === found?.status.phase);
  });
  assert.equal(phase, 'Succeeded');
});

test('a connection to a pod can be dropped on purpose', {
  skip: testCluster.own ? false : 'the cluster is not our own',
}, async (t) => {
  const namespace = await testCluster.namespace(t);
  const [address] = await runPods(testCluster, [
    { name: 'listens', namespace, command: ['nc', '-ll', '-p', '7000', '-e', 'cat'] },
  ]);
  const talk = `until nc ${address} 7000 < /dev/null; do sleep 1; done; sleep 1000 | nc ${address} 7000`;
  await runPods(testCluster, [{ name: 'talks', namespace, command: ['sh', '-c', talk] }]);
  const before = await processOf(testCluster, { namespace, pod: 'talks' });
  assert.ok(before > 0);
  await testCluster.waitFor('the connection is dropped', async () => {
    const dropped = await dropConnections(testCluster, { namespace, pod: 'listens' }, 7000);
    return dropped > 0 ? dropped : undefined;
  });
});
