// What each node can trace, in ConfigMap sonde-nodes of the release's namespace: what `kubectl sonde doctor` reads, so that plain RBAC decides who
// may. Neighbours: operator/survey.ts (asks agents), cli/ (shows it).

import { CoreV1Api, type KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { NodeDescription } from '../agent/api.ts';
import type { Clock } from './clock.ts';
import type { Log } from './hands.ts';
import { fieldManager } from './kubernetes.ts';

export interface Roster {
  put(description: NodeDescription): void;
  close(): void;
}

export const rosterName = 'sonde-nodes';
const everyMs = 10_000;
const soonMs = 500;
/** An object of the API server's may have a mebibyte and a half; hooks are the longest part. */
const mostBytes = 900_000;

type Entry = Omit<NodeDescription, 'jobs' | 'features'>;

/** The JSON array that is written, by node. */
export function rosterText(entries: Iterable<Entry>): string {
  const nodes = [...entries].sort((a, b) => (a.node < b.node ? -1 : 1));
  const text = JSON.stringify(nodes);
  if (Buffer.byteLength(text) <= mostBytes) return text;
  return JSON.stringify(
    nodes.map((entry) => ({ ...entry, gadgets: entry.gadgets.map((gadget) => ({ ...gadget, hooks: [] })) })),
  );
}

/** `present`: nodes with agents; others are left out. */
export function rosterOf(
  clock: Clock,
  present: ReadonlyMap<string, unknown>,
  write: (text: string) => Promise<void>,
  log: Log,
): Roster {
  const entries = new Map<string, Entry>();
  let last = '';
  let at = Number.NEGATIVE_INFINITY;
  let callOff: (() => void) | undefined;
  let closed = false;

  async function flush(): Promise<void> {
    callOff = undefined;
    for (const node of entries.keys()) if (!present.has(node)) entries.delete(node);
    const text = rosterText(entries.values());
    if (text === last || closed) return;
    at = clock.now();
    try {
      await write(text);
      last = text;
    } catch (error) {
      log.warn({ error: String(error) }, 'what nodes can trace could not be written');
      later();
    }
  }

  function later(): void {
    if (closed) return;
    callOff ??= clock.after(Math.max(soonMs, at + everyMs - clock.now()), () => void flush());
  }

  return {
    put({ node, version, protocol, kernel, arch, gadgets }) {
      entries.set(node, { node, version, protocol, kernel, arch, gadgets });
      later();
    },
    close() {
      closed = true;
      callOff?.();
    },
  };
}

export function rosterWriter(kubeConfig: KubeConfig, namespace: string): (text: string) => Promise<void> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
  return async (text) => {
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: rosterName, namespace },
      data: { 'nodes.json': text },
    };
    await core.patchNamespacedConfigMap(
      { name: rosterName, namespace, body, fieldManager, force: true },
      apply,
    );
  };
}
