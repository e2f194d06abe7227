// What the test cluster reads about this machine, from texts as kernels write them: where cgroups are, which process is which, what is mounted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hierarchies } from './cgroups.ts';
import { nodes } from './layout.ts';
import { startTimeOf } from './processes.ts';
import { mountsBelow } from './remains.ts';

const mountinfo = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 27 0:40 / /cache/images/storage/overlay rw - ext4 /dev/vda rw
51 50 0:41 / /cache/images/storage/overlay/1/merged rw - overlay overlay rw
52 27 0:42 / /cache-other rw - tmpfs tmpfs rw
`;

test('hierarchies of both versions are found, and nothing else', () => {
  assert.deepEqual(hierarchies(mountinfo), [
    { path: '/sys/fs/cgroup/memory', version: 1 },
    { path: '/sys/fs/cgroup/unified', version: 2 },
  ]);
});

test('mounts below a folder are given deepest first', () => {
  assert.deepEqual(mountsBelow('/cache', mountinfo), [
    '/cache/images/storage/overlay/1/merged',
    '/cache/images/storage/overlay',
  ]);
});

test('a start time is found behind a name with spaces and brackets', () => {
  const rest = Array.from({ length: 20 }, (_, index) => (index === 19 ? '123456' : 'S'));
  assert.equal(startTimeOf(`7 (a) b (c)) ${rest.join(' ')} 99`), '123456');
});

test('nodes share no address, folder or cable, and a cable has a name that the kernel takes', () => {
  for (const key of ['address', 'network', 'cable', 'folder', 'cgroup'] as const) {
    assert.equal(new Set(nodes.map((node) => node[key])).size, nodes.length);
  }
  for (const { cable } of nodes) assert.ok(cable.length <= 15, cable);
});
