import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerOf, podIdOf } from './group-names.ts';

const id = '0123456789abcdef'.repeat(4);
const uid = '6c0bd97b-e2ae-4d2f-9c5b-1f0a7a9d1c2e';
const underscored = uid.replaceAll('-', '_');
const hash = 'd41d8cd98f00b204e9800998ecf8427e';

const pods: [name: string, id: string | undefined][] = [
  [`pod${uid}`, uid],
  [`kubepods-pod${underscored}.slice`, uid],
  [`kubepods-burstable-pod${underscored}.slice`, uid],
  [`node_2-kubepods-besteffort-pod${underscored}.slice`, uid],
  [`pod${hash}`, hash],
  [`kubepods-burstable-pod${hash}.slice`, hash],
  [uid, undefined],
  [`pod${uid}x`, undefined],
  [`pod${uid}/x`, undefined],
  ['kubepods-burstable.slice', undefined],
  [id, undefined],
];
for (const [name, expected] of pods)
  test(`${name} is ${expected === undefined ? "no pod's group" : `the group of ${expected}`}`, () =>
    assert.equal(podIdOf(name), expected));

const containers: [name: string, id: string | undefined][] = [
  [id, id],
  [`cri-containerd-${id}.scope`, id],
  [`crio-${id}.scope`, id],
  [`docker-${id}.scope`, id],
  [`crio-conmon-${id}.scope`, undefined],
  [id.slice(1), undefined],
  [`pod${uid}`, undefined],
];
for (const [name, expected] of containers)
  test(`${name} is ${expected === undefined ? 'no container' : 'a container'}`, () =>
    assert.equal(containerOf(name)?.id, expected));
