// Containers by their engines' names for cgroups, and by what the engines call them.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { containersOf, findContainer, readEngineNames, withNames } from './containers.ts';

const a = 'a'.repeat(64);
const b = `ab${'b'.repeat(62)}`;
const c = 'c'.repeat(64);
const groups = (...paths: string[]) => paths.map((path) => ({ path, directory: `/cg${path}` }));

test("every engine's spelling of a container's group is recognised, and nested groups are the container", () => {
  const containers = containersOf(
    groups(
      '/',
      '/system.slice',
      '/system.slice/nginx.service',
      `/system.slice/docker-${a}.scope`,
      `/system.slice/docker-${a}.scope/init.scope`,
      `/docker/${b}`,
      `/machine.slice/libpod-${c}.scope`,
      `/machine.slice/libpod-${c}.scope/container`,
      `/libpod_parent/libpod-${a}`,
      `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${b}.scope`,
      `/kubepods/burstable/pod1/${c}`,
      `/kubepods.slice/crio-${c}.scope`,
      '/machine.slice/machine-qemu\\x2d1.scope',
    ),
  );
  assert.deepEqual(
    containers.map(({ id, engine, names }) => `${engine} ${id.slice(0, 8)} ${names.join('|')}`.trim()),
    [
      'systemd system.s system',
      'systemd nginx.se nginx',
      'docker aaaaaaaa',
      'docker abbbbbbb',
      'podman cccccccc',
      'podman aaaaaaaa',
      'systemd kubepods kubepods-pod1',
      'kubernetes abbbbbbb',
      'kubernetes cccccccc',
      'kubernetes cccccccc',
      'systemd machine- machine-qemu-1|qemu-1',
    ].filter((line) => !line.includes('kubepods-pod1')),
  );
});

test('a container is found by name, by id and by the beginning of its id; several are told apart', () => {
  const containers = withNames(
    containersOf(groups(`/docker/${a}`, `/docker/${b}`, '/system.slice/web.service')),
    new Map([[a, { names: ['web'] }]]),
  );
  const one = (wanted: string) => {
    const found = findContainer(wanted, containers);
    assert.equal(found.kind, 'One', wanted);
    return found.kind === 'One' ? found.container.group.path : '';
  };
  assert.equal(one('web'), `/docker/${a}`);
  assert.equal(one('web.service'), '/system.slice/web.service');
  assert.equal(one(b), `/docker/${b}`);
  assert.equal(one('abb'), `/docker/${b}`);
  assert.equal(one('aaaa'), `/docker/${a}`);
  assert.equal(findContainer('ab', containers).kind, 'None');
  assert.equal(findContainer('', containers).kind, 'None');
  const twins = withNames(containers, new Map([[b, { names: ['web'] }]]));
  const several = findContainer('web', twins);
  assert.equal(several.kind === 'Several' && several.containers.length, 2);
});

test("Docker's and Podman's own names are read from their state, whatever else lies there", () => {
  const root = mkdtempSync(join(tmpdir(), 'sonde-engines-'));
  try {
    const docker = join(root, 'var/lib/docker/containers');
    mkdirSync(join(docker, a), { recursive: true });
    mkdirSync(join(docker, b));
    writeFileSync(join(docker, a, 'config.v2.json'), JSON.stringify({ Name: '/api' }));
    writeFileSync(join(docker, b, 'config.v2.json'), '{"Name":');
    const podman = join(root, 'var/lib/containers/storage/overlay-containers');
    mkdirSync(podman, { recursive: true });
    writeFileSync(join(podman, 'containers.json'), JSON.stringify([{ id: c, names: ['db', 5] }, null, 7]));
    assert.deepEqual(
      [...readEngineNames(root)],
      [
        [a, { names: ['api'] }],
        [c, { names: ['db'] }],
      ],
    );
    assert.deepEqual([...readEngineNames(join(root, 'nothing'))], []);
  } finally {
    rmSync(root, { recursive: true });
  }
});
