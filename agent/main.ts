// The agent of a node: dist/agent.js. The only place that reads its environment and puts its parts together: jobs behind a door, and health beside it.
// Neighbours: agent/flags.ts (what it is told), agent/jobs.ts, agent/serve.ts, agent/health.ts.

import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import pino from 'pino';
import { ownVersion } from '../cli/version.ts';
import { native } from '../native/index.ts';
import type { Report } from './api.ts';
import { type Certificates, readCertificates, watchCertificates } from './certificates.ts';
import { cgroup2Below } from './cgroups.ts';
import { describeNode } from './describe.ts';
import { FlagError, type Flags, readFlags } from './flags.ts';
import { serveHealth } from './health.ts';
import { openJobs } from './jobs.ts';
import { type ServedAgent, serveAgent } from './serve.ts';
import { startSession } from './session.ts';

/** How often it is looked for new certificates, and for runs whose time is up, ms. */
const certificatesMs = 5000;
const sweepMs = 60_000;
/** What turns up at the port may say so often why it was turned away: a log is no place for a flood. */
const strangersMs = 1000;

function flagsOrEnd(): Flags {
  try {
    return readFlags(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`sonde agent: ${error.message}\n`);
    process.exit(2);
  }
}

const flags = flagsOrEnd();
const log = pino({ level: flags.logLevel, base: { node: flags.node } });

const mountPoint = cgroup2Below(readFileSync('/proc/self/mountinfo', 'utf8'), flags.cgroups);
if (mountPoint === undefined) {
  log.fatal(`no cgroup2 hierarchy is mounted at ${flags.cgroups} or below it: mount the node's there`);
  process.exit(1);
}

let description: ReturnType<typeof describeNode> | undefined;

const jobs = await openJobs({
  native,
  node: flags.node,
  mountPoint,
  spool: flags.spool,
  ceilings: flags.ceilings,
  runTtlMs: flags.runTtlMs,
  startSession,
  now: Date.now,
  async describe() {
    description ??= describeNode(native, flags.node, ownVersion());
    return description;
  },
  onPhase: (uid, { phase, reason, message, events, podsTraced }: Report) =>
    log[phase === 'Failed' ? 'warn' : 'info'](
      {
        job: uid,
        phase,
        reason,
        podsTraced,
        recorded: events.recorded.toString(),
        lost: events.lost.toString(),
      },
      message ?? 'the job moved on',
    ),
});

let served: ServedAgent | undefined;
const health = await serveHealth(flags.healthPort, () => served !== undefined);
log.info({ healthPort: health.port, version: ownVersion(), cgroups: mountPoint }, 'started');

const ending = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort());

/** The operator may come up after its agents. */
async function firstCertificates(): Promise<Certificates | undefined> {
  for (let told = false; !ending.signal.aborted; ) {
    try {
      return await readCertificates(flags.tls);
    } catch (error) {
      if (!told) log.warn(`no certificates yet: ${String(error)}`);
      told = true;
      await setTimeout(1000, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }
  return undefined;
}

let lastStranger = 0;
function onStranger(from: string, why: string): void {
  if (Date.now() - lastStranger < strangersMs) return;
  lastStranger = Date.now();
  log.warn({ from, reason: 'Unauthenticated' }, why);
}

const certificates = await firstCertificates();
if (certificates !== undefined) {
  const onFailure = (error: unknown) => log.error({ err: error, reason: 'Internal' }, 'a call failed');
  served = await serveAgent({ api: jobs, port: flags.port, certificates, onStranger, onFailure });
  log.info({ port: served.port }, 'serves the operator');
  const use = (fresh: Certificates) => {
    served?.use(fresh);
    log.info('uses new certificates');
  };
  const watching = watchCertificates(flags.tls, certificates, certificatesMs, use, (error) =>
    log.warn({ err: error }, "new certificates can't be used yet"),
  );
  const sweeping = setInterval(() => {
    jobs.sweep().catch((error: unknown) => log.error({ err: error }, 'old runs could not be removed'));
  }, sweepMs);
  if (!ending.signal.aborted)
    await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
  watching.close();
  clearInterval(sweeping);
}
log.info('ends its jobs');
await jobs.shutDown();
// Streams that wait for the last report get it before their connections go.
await setTimeout(200);
await served?.close();
health.close();
log.info('ended');
// What is left are timers of libraries.
process.exit(0);
