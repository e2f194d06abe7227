// What is kept of the API server's objects.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf, cutJob, cutNamespace, cutNode, cutPod, cutSlice } from './trim.ts';

test('of a pod, every container id that its status names is kept, ended ones too', () => {
  const { containers, configHash, scheduledAt, node } = cutPod({
    metadata: { name: 'a', uid: 'u', namespace: 'shop', annotations: { 'kubernetes.io/config.hash': 'h' } },
    spec: { nodeName: 'n1', containers: [] },
    status: {
      conditions: [{ type: 'PodScheduled', lastTransitionTime: '2030-01-01T00:00:00Z' }],
      initContainerStatuses: [
        {
          name: 'init',
          containerID: 'containerd://i1',
          state: { terminated: { containerID: 'containerd://i1' } },
        },
      ],
      containerStatuses: [
        { name: 'api', containerID: 'cri-o://c2', lastState: { terminated: { containerID: 'cri-o://c1' } } },
      ],
    },
  } as never);
  assert.deepEqual(containers, [
    { name: 'init', id: 'i1' },
    { name: 'api', id: 'c1' },
    { name: 'api', id: 'c2' },
  ]);
  assert.deepEqual([configHash, scheduledAt, node], ['h', Date.UTC(2030, 0, 1), 'n1']);
});

test('objects that lack what they should have do no harm', () => {
  assert.equal(cutPod({}).uid, '');
  assert.equal(cutNode({}).arch, 'x86');
  assert.equal(cutNamespace({}).denied, false);
  assert.deepEqual(cutJob('TraceJob')({}).spec, {});
  assert.deepEqual(addressesOf(cutSlice({})), new Map());
});

test('agents that serve are found at their addresses, those that end among them', () => {
  const slice = cutSlice({
    metadata: { name: 's' },
    ports: [
      { name: 'health', port: 1 },
      { name: 'grpc', port: 7443 },
    ],
    endpoints: [
      { nodeName: 'n1', addresses: ['10.0.0.1'], conditions: { ready: true } },
      { nodeName: 'n2', addresses: ['10.0.0.2'], conditions: { ready: false } },
      {
        nodeName: 'n3',
        addresses: ['fd00::3'],
        conditions: { ready: false, serving: true, terminating: true },
      },
      { addresses: ['10.0.0.4'], conditions: { ready: true } },
    ],
  } as never);
  assert.deepEqual(
    addressesOf(slice),
    new Map([
      ['n1', '10.0.0.1:7443'],
      ['n3', '[fd00::3]:7443'],
    ]),
  );
});

test('a namespace is denied by its label alone', () => {
  assert.equal(
    cutNamespace({ metadata: { name: 'x', labels: { 'sonde.dev/tracing': 'deny' } } }).denied,
    true,
  );
  assert.equal(
    cutNamespace({ metadata: { name: 'x', labels: { 'sonde.dev/tracing': 'allow' } } }).denied,
    false,
  );
});
