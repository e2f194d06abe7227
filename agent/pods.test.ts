import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodTarget } from './api.ts';
import { knownPods, namesOf, scopeIdOf } from './pods.ts';

const pod = (uid: string, containers: Record<string, string> = {}, only?: string[]): PodTarget => ({
  uid,
  namespace: 'shop',
  name: `pod-${uid}`,
  containers: Object.entries(containers).map(([name, id]) => ({ name, id })),
  ...(only === undefined ? {} : { only }),
});
const container = (digit: string) => digit.repeat(64);
const nameOf = (pods: ReturnType<typeof knownPods>, group: bigint) => pods.of(scopeIdOf(group))?.container;

test("the first group of a pod is its sandbox's: without a name its rows are nobody's; with one it is a container", () => {
  const pods = knownPods('n');
  assert.deepEqual(
    pods.name([pod('a')]).map(({ number }) => number),
    [1n],
  );
  pods.found(1n, 20n, container('b'));
  pods.found(1n, 10n, container('a'));
  assert.equal(nameOf(pods, 10n), undefined);
  assert.equal(nameOf(pods, 20n), container('b'));
  assert.equal(pods.unnamed(), 1);
  assert.deepEqual(
    pods.name([pod('a', { first: container('a'), api: `containerd://${container('b')}` })]),
    [],
  );
  assert.equal(nameOf(pods, 10n), 'first');
  assert.equal(nameOf(pods, 20n), 'api');
  assert.deepEqual([pods.unnamed(), pods.traced(), pods.all().length], [0, 1, 2]);
});

test('a name that was known once stays, whatever the next list leaves out', () => {
  const pods = knownPods('n');
  pods.name([pod('a', { api: container('b') })]);
  pods.found(1n, 5n, 'sandbox');
  pods.found(1n, 6n, container('b'));
  pods.name([pod('a')]);
  pods.name([pod('other')]);
  assert.equal(nameOf(pods, 6n), 'api');
});

test('of a pod of which some containers are asked for, no other has rows, named or not', () => {
  const pods = knownPods('n');
  pods.name([pod('a', { api: container('a'), proxy: container('b') }, ['api'])]);
  for (const [group, name] of [
    [1n, 'sandbox'],
    [2n, container('a')],
    [3n, container('b')],
    [4n, container('c')],
  ] as const)
    pods.found(1n, group, name);
  assert.deepEqual(
    [2n, 3n, 4n].map((group) => nameOf(pods, group)),
    ['api', undefined, undefined],
  );
  assert.deepEqual(pods.unwanted(), [3n]);
  assert.deepEqual([...pods.provisional().keys()], [1n, 3n, 4n].map(scopeIdOf));
  const renaming = namesOf('n', [pod('a', { api: container('a'), proxy: container('b') }, ['api'])]);
  assert.deepEqual(
    [...renaming.values()].map((members) => members?.includes('"api"') ?? null),
    [true, null],
  );
});

test('an id that is not known stands for the node alone', () => {
  assert.deepEqual(knownPods('n').of(7n), { node: 'n', namespace: null, pod: null, container: null });
});
