// Leader election on a Lease. Who holds it is told by its content; whether the holder lives, only by whether the content changes while this process
// watches by its own even clock: no two machines' clocks are compared. A holder that can't renew gives up before others may take over.
// Neighbour: operator/main.ts.

import { setTimeout as pause } from 'node:timers/promises';
import { CoordinationV1Api, type KubeConfig, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import type { Clock } from './clock.ts';
import type { Log } from './hands.ts';
import { httpStatus } from './kubernetes.ts';

/** As Kubernetes' own components have it. */
export const leaseTimes = { durationMs: 15_000, renewMs: 10_000, retryMs: 2_000 } as const;

/** What election needs of an API server. */
export interface Leases {
  /** Undefined where there is none. */
  read(): Promise<V1Lease | undefined>;
  /** False where another write came first. */
  write(lease: V1Lease, isNew: boolean): Promise<boolean>;
}

export interface Standing {
  /** What the Lease said when it last changed, and when this process saw that. */
  seen: { text: string; at: number } | undefined;
}

export type Look = { kind: 'Take'; isNew: boolean } | { kind: 'Renew' } | { kind: 'Wait' };

/** What to do about a Lease as it is now: pure but for what `standing` remembers. */
export function consider(
  lease: V1Lease | undefined,
  identity: string,
  standing: Standing,
  now: number,
): Look {
  if (lease === undefined) return { kind: 'Take', isNew: true };
  const { spec } = lease;
  if (spec?.holderIdentity === identity) return { kind: 'Renew' };
  if (spec?.holderIdentity === undefined || spec.holderIdentity === '') return { kind: 'Take', isNew: false };
  const text = JSON.stringify([spec.holderIdentity, spec.renewTime, spec.leaseTransitions]);
  if (standing.seen?.text !== text) standing.seen = { text, at: now };
  const durationMs = (spec.leaseDurationSeconds ?? leaseTimes.durationMs / 1000) * 1000;
  return now - standing.seen.at > durationMs ? { kind: 'Take', isNew: false } : { kind: 'Wait' };
}

export interface Leadership {
  isLeader(): boolean;
  /** Resolves when this process leads. */
  gained: Promise<void>;
  /** Resolves when it does so no longer, or can't know: then it must stop at once. */
  lost: Promise<void>;
  /** Gives the Lease back, so that another may take it at once. */
  release(): Promise<void>;
}

export function campaign(leases: Leases, identity: string, clock: Clock, log: Log): Leadership {
  const gained = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const ending = new AbortController();
  const standing: Standing = { seen: undefined };
  let held: V1Lease | undefined;
  let renewedAt = 0;

  async function attempt(): Promise<void> {
    // The request's own time counts: the Lease may have been written when it began.
    const began = clock.now();
    const lease = await leases.read();
    const look = consider(lease, identity, standing, began);
    if (look.kind === 'Wait') {
      if (held) lose('another holds the Lease');
      return;
    }
    const next = nextLease(lease, identity, look);
    if (!(await leases.write(next, look.kind === 'Take' && look.isNew))) return;
    renewedAt = began;
    if (held === undefined) {
      log.info({ identity }, 'leading');
      gained.resolve();
    }
    held = next;
  }

  function lose(why: string): void {
    held = undefined;
    ending.abort();
    log.error({ identity }, `not leading any more: ${why}`);
    lost.resolve();
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const limit = AbortSignal.timeout(leaseTimes.renewMs);
      await Promise.race([
        attempt(),
        new Promise((resolve) => limit.addEventListener('abort', resolve)),
      ]).catch((error: unknown) =>
        log.warn({ error: String(error) }, 'the Lease could not be read or written'),
      );
      if (held && clock.now() - renewedAt > leaseTimes.renewMs)
        lose('the Lease could not be renewed in time');
      await pause(leaseTimes.retryMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  void run();
  return {
    isLeader: () => held !== undefined && clock.now() - renewedAt <= leaseTimes.renewMs,
    gained: gained.promise,
    lost: lost.promise,
    async release() {
      ending.abort();
      if (held === undefined) return;
      held = undefined;
      const lease = await leases.read();
      if (lease?.spec?.holderIdentity !== identity) return;
      await leases.write(
        { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } },
        false,
      );
    },
  };
}

function nextLease(lease: V1Lease | undefined, identity: string, look: Look): V1Lease {
  const now = new V1MicroTime();
  const taken = look.kind === 'Take';
  const spec = lease?.spec ?? {};
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: leaseTimes.durationMs / 1000,
      renewTime: now,
      ...(taken
        ? { acquireTime: now, leaseTransitions: (spec.leaseTransitions ?? 0) + (lease === undefined ? 0 : 1) }
        : {}),
    },
  };
}

/** The Lease in the release's namespace. Its resourceVersion makes writes that come second fail. */
export function leasesOf(kubeConfig: KubeConfig, namespace: string, name: string): Leases {
  const api = kubeConfig.makeApiClient(CoordinationV1Api);
  return {
    read: () =>
      api.readNamespacedLease({ namespace, name }).catch((error: unknown) => {
        if (httpStatus(error) === 404) return undefined;
        throw error;
      }),
    async write(lease, isNew) {
      const body: V1Lease = { ...lease, metadata: { ...lease.metadata, namespace, name } };
      try {
        if (isNew) await api.createNamespacedLease({ namespace, body });
        else await api.replaceNamespacedLease({ namespace, name, body });
        return true;
      } catch (error) {
        if (httpStatus(error) === 409) return false;
        throw error;
      }
    },
  };
}
