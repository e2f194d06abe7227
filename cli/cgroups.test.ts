// The cgroup2 hierarchy from mountinfo and /proc/PID/cgroup, in each layout that machines have.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCgroup1, findCgroup2, groupOf } from './cgroups.ts';

const hybrid = `25 30 0:23 / /sys rw - sysfs sysfs rw
37 31 0:34 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
`;

test('cgroup2 is found in hybrid and unified layouts, with odd mount points', () => {
  assert.deepEqual(findCgroup2(hybrid), { mountPoint: '/sys/fs/cgroup/unified', root: '/' });
  assert.deepEqual(findCgroup1(hybrid), ['/sys/fs/cgroup/cpu']);
  const odd = '41 31 0:38 /kubepods /mnt/my\\040cgroups rw master:1 propagate_from:2 - cgroup2 none rw\n';
  assert.deepEqual(findCgroup2(odd), { mountPoint: '/mnt/my cgroups', root: '/kubepods' });
  assert.equal(findCgroup2('25 30 0:23 / /sys rw - sysfs sysfs rw\n'), undefined);
});

test("a process's group is a directory below the mount", () => {
  const root = { mountPoint: '/sys/fs/cgroup', root: '/' };
  assert.equal(groupOf('4:cpu:/x\n0::/a/b\n', root), '/sys/fs/cgroup/a/b');
  assert.equal(groupOf('0::/\n', root), '/sys/fs/cgroup/');
  assert.equal(groupOf('0::/a (deleted)\n', root), '/sys/fs/cgroup/a');
  assert.equal(groupOf('0::/../x\n', root), undefined);
  assert.equal(groupOf('4:cpu:/x\n', root), undefined);
  const part = { mountPoint: '/cg', root: '/kubepods' };
  assert.equal(groupOf('0::/kubepods/pod1\n', part), '/cg/pod1');
  assert.equal(groupOf('0::/system.slice\n', part), undefined);
});

test('no text makes the readers throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      findCgroup1(text);
      findCgroup2(`${text} - cgroup2 ${text}`);
      groupOf(`0::${text}`, { mountPoint: '/x', root: '/' });
    }),
  );
});
