// A node's pods as cgroups, spelled as kubelet's drivers and the runtimes spell them. For tests of what looks for pods: agent/pods.kernel.test.ts.

import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PodTarget } from '../../agent/api.ts';
import { findCgroup2 } from '../../cli/cgroups.ts';

export type Style = 'cgroupfs' | 'systemd' | 'crio' | 'docker' | 'static';

export interface FakePod {
  /** A new container's group; the first is the sandbox's. */
  container(): string;
  /** What the operator knows: containers by name. */
  target(namespace: string, name: string, containers: Record<string, string>): PodTarget;
  /** Removes its groups; nothing may live in them. */
  remove(): void;
}

export interface FakeNode {
  mountPoint: string;
  /** A pod by its number; its group is made with its first container, as runc does. */
  pod(index: number): FakePod;
  remove(): void;
}

let made = 0;

export function makeNode(style: Style): FakeNode {
  const mount = findCgroup2(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (mount === undefined) throw new Error('this test needs a cgroup2 hierarchy: mount one');
  const { mountPoint } = mount;
  const root = join(mountPoint, `sonde-node-${process.pid}-${made++}`);
  mkdirSync(root);
  return {
    mountPoint,
    pod(index) {
      const hash = podUid(index + 1000).replaceAll('-', '');
      const group = join(root, podGroup(style, podUid(index), hash));
      return {
        container() {
          const path = join(group, containerGroup(style, id()));
          mkdirSync(path, { recursive: true });
          return path;
        },
        target: (namespace, name, containers) => ({
          // A static pod's object has a UID of its own.
          uid: style === 'static' ? podUid(index + 2000) : podUid(index),
          ...(style === 'static' ? { configHash: hash } : {}),
          namespace,
          name,
          containers: Object.entries(containers).map(([each, path]) => ({
            name: each,
            id: containerId(path),
          })),
        }),
        remove: () => removeTree(group),
      };
    },
    remove: () => removeTree(root),
  };
}

export function podUid(index: number): string {
  return `6c0bd97b-e2ae-4d2f-9c5b-${process.pid.toString(16).padStart(8, '0')}${index.toString(16).padStart(4, '0')}`;
}

function podGroup(style: Style, uid: string, hash: string): string {
  const slice = (name: string) =>
    `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${name.replaceAll('-', '_')}.slice`;
  if (style === 'systemd' || style === 'crio') return slice(uid);
  return `kubepods/burstable/pod${style === 'static' ? hash : uid}`;
}

function containerGroup(style: Style, container: string): string {
  if (style === 'systemd') return `cri-containerd-${container}.scope`;
  if (style === 'crio') return `crio-${container}.scope`;
  return style === 'docker' ? `docker-${container}.scope` : container;
}

/** The id in a group's name. */
export function containerId(path: string): string {
  return /[0-9a-f]{64}/.exec(basename(path))?.[0] ?? '';
}

function id(): string {
  return `${process.pid.toString(16)}f${(made++).toString(16)}`.padStart(64, '0');
}

function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  rmdirSync(path);
}
