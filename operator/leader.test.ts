// One operator leads, by what it sees change and by no other machine's clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Lease } from '@kubernetes/client-node';
import { consider, type Standing } from './leader.ts';

const held = (by: string, renewed: string): V1Lease => ({
  spec: { holderIdentity: by, renewTime: renewed as never, leaseDurationSeconds: 15, leaseTransitions: 1 },
});
const fresh = (): Standing => ({ seen: undefined });

test('a Lease that is not there, or was given back, is taken', () => {
  assert.deepEqual(consider(undefined, 'a', fresh(), 0), { kind: 'Take', isNew: true });
  assert.deepEqual(consider(held('', 'x'), 'a', fresh(), 0), { kind: 'Take', isNew: false });
});

test('its own Lease is renewed, also after a restart under the same name', () => {
  assert.deepEqual(consider(held('a', 'x'), 'a', fresh(), 0), { kind: 'Renew' });
});

test("another's Lease is waited for as long as it changes, whatever time stands in it", () => {
  const standing = fresh();
  for (let second = 0; second <= 60; second += 2) {
    const year = second % 4 === 0 ? '1999' : '2099';
    assert.equal(consider(held('b', `${year} ${second}`), 'a', standing, second * 1000).kind, 'Wait');
  }
});

test('a Lease that has not changed for its duration, as watched here, is taken', () => {
  const standing = fresh();
  assert.equal(consider(held('b', 'x'), 'a', standing, 1_000).kind, 'Wait');
  assert.equal(consider(held('b', 'x'), 'a', standing, 16_000).kind, 'Wait');
  assert.equal(consider(held('b', 'x'), 'a', standing, 16_001).kind, 'Take');
});
