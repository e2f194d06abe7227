// The ring's fair shares and the scope's maps (events.bpf.h, scope.bpf.h), by the object of a gadget that uses them and nobody who drains.

import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scopeMaps } from '../../agent/scope.ts';
import { objectPath } from '../../build/bpf.ts';
import { native } from '../../native/index.ts';
import { makeGroup } from '../../test/support/trace.ts';
import { workload } from '../../test/support/workload.ts';

const opens = await workload('opens');
const following = ['scope_cgroup_mkdir', 'scope_cgroup_rmdir'];

/** open-files' programs for openat2 alone, on a ring of 64 KiB. */
function attach(containers: number) {
  const object = native.openObject(objectPath('open-files'));
  object.setVariable('scope_by_cgroup', true);
  object.setMaxEntries('events', 65536);
  for (const { name } of object.programs)
    object.setAutoload(name, name === 'open_exit_call' || following.includes(name));
  object.load();
  object.setVariable('job_containers', containers);
  for (const program of following) object.attach(program);
  object.attach('open_exit_call', { kind: 'tracepoint', category: 'syscalls', name: 'sys_exit_openat2' });
  return { object, enter: scopeMaps(object).cgroups.add };
}

const reasons = ['RingFull', 'MapFull', 'Budget', 'Sampled', 'StackUnavailable', 'DiskFull', 'Rate'];

function losses(object: ReturnType<typeof attach>['object']): Record<string, bigint> {
  const entries = object
    .map('losses')
    .entries()
    .map(({ key, value }) => {
      const { container, reason } = key as { container: bigint; reason: number };
      return [`${container} ${reasons[reason]}`, BigInt(value as bigint)];
    });
  return Object.fromEntries(entries);
}

/** Opens so often by openat2; every fourth of the workload's opens is by that. */
async function openTimes(group: string, times: number): Promise<void> {
  const argv = [opens, String(times * 4), String(times * 4), '/', '/none'];
  const ended = await native.spawnInCgroup(group, argv, {}, '/').exited;
  assert.deepEqual(ended, { code: 0, signal: null });
}

test('one noisy container loses its own events only: the others keep their part of the ring', async () => {
  const groups = [makeGroup(), makeGroup(), makeGroup()] as const;
  const { object, enter } = attach(groups.length);
  try {
    groups.forEach(({ id }, index) => {
      enter(id, BigInt(index + 1));
    });
    const [noisy, quiet, later] = groups;
    await openTimes(noisy.path, 20_000); // some 2 MB into a ring of 64 KiB that nobody reads
    await openTimes(quiet.path, 20);
    await openTimes(later.path, 20);
    const lost = losses(object);
    assert.deepEqual(Object.keys(lost), ['1 Rate']);
    assert.ok(lost['1 Rate'] !== undefined && lost['1 Rate'] > 19_000n && lost['1 Rate'] < 20_000n);
  } finally {
    object.close();
    for (const group of groups) await group.remove();
  }
});

test('a container alone may fill the whole ring, and what is lost then is counted', async () => {
  const group = makeGroup();
  const { object, enter } = attach(1);
  try {
    enter(group.id, 1n);
    await openTimes(group.path, 5000);
    const lost = losses(object);
    assert.deepEqual(Object.keys(lost), ['1 RingFull']);
    // A record of 109 bytes takes 120 of the ring with its header.
    const fit = 5000n - (lost['1 RingFull'] ?? 0n);
    assert.ok(fit >= 500n && fit <= 650n, `${fit} records in 64 KiB`);
  } finally {
    object.close();
    await group.remove();
  }
});

test('groups made below a group in scope come and go in the kernel, with the container’s id, at any depth; others do not', async () => {
  const [inside, outside] = [makeGroup(), makeGroup()];
  const { object, enter } = attach(1);
  try {
    enter(inside.id, 7n);
    const made = [join(inside.path, 'a'), join(inside.path, 'a/b'), join(outside.path, 'a')];
    for (const path of made) mkdirSync(path);
    const ids = object.map('scope').entries();
    assert.equal(ids.length, 3);
    assert.ok(ids.every(({ value }) => BigInt(value as bigint) === 7n));
    await openTimes(join(inside.path, 'a/b'), 3);
    assert.equal(hits(object).scoped, 3n);
    for (const path of made.reverse()) rmdirSync(path);
    assert.equal(object.map('scope').entries().length, 1);
  } finally {
    object.close();
    await inside.remove();
    await outside.remove();
  }
});

function hits(object: ReturnType<typeof attach>['object']): Record<string, bigint> {
  return object.map('hits').get(0) as Record<string, bigint>;
}

test('sampling takes one in so many and counts the others; a stopped job takes none', async () => {
  const group = makeGroup();
  const { object, enter } = attach(1);
  try {
    enter(group.id, 1n);
    object.setVariable('job_sample_every', 4);
    await openTimes(group.path, 400);
    const skipped = losses(object)['1 Sampled'] ?? 0n;
    assert.ok(skipped > 240n && skipped < 360n, `${skipped} of 400 skipped`);
    assert.equal(hits(object).skipped, skipped);
    object.setVariable('job_stopped', 1);
    await openTimes(group.path, 10);
    assert.equal(losses(object)['1 Budget'], 10n);
  } finally {
    object.close();
    await group.remove();
  }
});
