// What Prometheus reads of the operator. Neighbours: operator/health.ts (serves it), operator/hands.ts (what is counted).

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { phases } from '../crds/status.ts';
import type { Cluster } from './cluster.ts';
import type { Counts } from './hands.ts';
import type { Ledger } from './ledger.ts';

export interface Metrics extends Counts {
  text(): Promise<string>;
  contentType: string;
}

/** `ledgers`: of the jobs that this operator leads; empty on a standby. */
export function startMetrics(
  cluster: Cluster,
  ledgers: () => Iterable<Ledger>,
  isLeader: () => boolean,
): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const agentErrors = new Counter({
    name: 'sonde_agent_call_errors_total',
    help: 'Calls to agents that failed.',
    labelNames: ['code'],
    registers,
  });
  const reconcile = new Histogram({
    name: 'sonde_reconcile_seconds',
    help: 'Time to look at a job and plan.',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    registers,
  });
  const publish = new Histogram({
    name: 'sonde_publish_seconds',
    help: 'Time to merge, write and upload a result.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
    registers,
  });
  const writes = new Counter({
    name: 'sonde_status_writes_total',
    help: 'Statuses written.',
    labelNames: ['result'],
    registers,
  });
  new Gauge({
    name: 'sonde_jobs',
    help: 'Jobs by phase.',
    labelNames: ['phase'],
    registers,
    collect() {
      for (const phase of phases) this.set({ phase }, 0);
      for (const { status } of cluster.jobs.values()) this.inc({ phase: status.phase ?? 'Pending' });
    },
  });
  new Gauge({
    name: 'sonde_agents',
    help: 'Agents that are ready.',
    registers,
    collect() {
      this.set(cluster.agents.size);
    },
  });
  new Gauge({
    name: 'sonde_nodes_tracing',
    help: 'Nodes on which probes are attached, over all jobs.',
    registers,
    collect() {
      this.set(sum(ledgers(), (ledger) => ledger.status.nodes?.running ?? 0));
    },
  });
  new Gauge({
    name: 'sonde_events_lost',
    help: 'Events that the results of the jobs that are there lack.',
    registers,
    collect() {
      this.set(sum(ledgers(), (ledger) => ledger.status.events?.lost ?? 0));
    },
  });
  new Gauge({
    name: 'sonde_leader',
    help: '1 where this replica leads.',
    registers,
    collect() {
      this.set(isLeader() ? 1 : 0);
    },
  });
  return {
    agentError: (code) => agentErrors.inc({ code }),
    reconciled: (seconds) => reconcile.observe(seconds),
    published: (seconds) => publish.observe(seconds),
    statusWritten: (ok) => writes.inc({ result: ok ? 'ok' : 'error' }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function sum(ledgers: Iterable<Ledger>, of: (ledger: Ledger) => number): number {
  let total = 0;
  for (const ledger of ledgers) total += of(ledger);
  return total;
}
