// Files of runs that nobody merges, from their nodes to the store: put by the agents themselves to URLs that are signed for each part, or through the
// operator where an agent can't reach the bucket or the store has no such URLs. Agents keep the files until the job's result is published, so any of it may
// be done again, by another operator too. Neighbours: operator/execute.ts (asks for it), agent/run-files.ts, operator/stores/store.ts.

import { rm } from 'node:fs/promises';
import { type AgentApi, AgentCallError, type RunFile } from '../agent/api.ts';
import { partName } from '../agent/run-files.ts';
import { type Clock, sleep } from './clock.ts';
import type { JobObject } from './cluster.ts';
import { type Collect, turnsOf } from './collect.ts';
import { type Log, PublishError, RunError } from './hands.ts';
import type { Refusal, StoredArtifact } from './observed.ts';
import { asPublishError, type OpenStore } from './publish.ts';
import { artifactKey, type NamedFile, type PartedUpload, type Store } from './stores/store.ts';

/** The files of one node's run. */
export interface NodeFiles {
  node: string;
  files: readonly RunFile[];
  /** Its agent as it is reached now. */
  agent(): AgentApi | undefined;
}

export interface Delivered {
  artifacts: StoredArtifact[];
  /** Nodes whose files could not be had. */
  lost: { node: string; refusal: Refusal }[];
}

/** Throws PublishError where the store can't be written to. */
export type Deliver = (
  job: JobObject,
  store: string,
  from: readonly NodeFiles[],
  signal: AbortSignal,
) => Promise<Delivered>;

export interface DeliverHands {
  collect: Collect;
  openStore: OpenStore;
  clock: Clock;
  log: Log;
}

/** Files that are on their way at once, and parts of each. */
const mostFiles = 4;
const mostParts = 3;
const mostTries = 3;
const pauseMs = 1_000;
/** An agent that does not answer is asked again for so long. */
const patienceMs = 60_000;

interface Delivery {
  hands: DeliverHands;
  store: Store;
  uid: string;
  from: NodeFiles;
  file: RunFile;
  named: NamedFile;
  signal: AbortSignal;
}

export function deliverer(hands: DeliverHands): Deliver {
  return async (job, name, from, signal) => {
    const { namespace = null, name: jobName, uid } = job.metadata;
    const artifacts: StoredArtifact[] = [];
    const lost: Delivered['lost'] = [];
    if (from.length === 0) return { artifacts, lost };
    const turns = turnsOf(mostFiles);
    const { store, prefix } = await hands.openStore(namespace, name, signal).catch((error: unknown) => {
      throw asPublishError(error);
    });
    const one = async (node: NodeFiles, file: RunFile): Promise<void> => {
      const artifact = {
        name: partName(file.name, node.node),
        mediaType: file.mediaType,
        bytes: Number(file.bytes),
        sha256: file.sha256,
      };
      const { name: _, ...plain } = artifact;
      const key = artifactKey(prefix, { namespace, name: jobName, uid }, artifact.name);
      const delivery = { hands, store, uid, from: node, file, named: { key, ...plain }, signal };
      const uri = await patiently(delivery, () => deliverFile(delivery));
      if (typeof uri === 'string') artifacts.push({ ...artifact, uri });
      else lost.push({ node: node.node, refusal: uri });
    };
    try {
      const all = from.flatMap((node) => node.files.map((file) => turns(() => one(node, file))));
      const outcomes = await Promise.allSettled(all);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    } finally {
      store.close();
    }
    artifacts.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { artifacts, lost };
  };
}

/** Again while the agent does not answer; what else goes wrong on the node is its refusal, what goes wrong with the store is the job's. */
async function patiently(
  { hands: { clock }, from: { node }, signal }: Delivery,
  deliver: () => Promise<string>,
): Promise<string | Refusal> {
  const until = clock.now() + patienceMs;
  for (;;) {
    try {
      return await deliver();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RunError && !error.again) return error.refusal;
      if (!(error instanceof AgentCallError) && !(error instanceof RunError)) throw asPublishError(error);
      const again = error instanceof RunError || error.code === 'Unreachable';
      if (!again || clock.now() >= until) {
        const message = `a file of its run was not had: ${error.message}`;
        return { reason: again ? 'AgentUnreachable' : 'AgentRefused', message };
      }
    }
    await sleep(clock, pauseMs, signal);
    if (signal.aborted) throw new PublishError({ reason: 'AgentUnreachable', message: node }, true);
  }
}

async function deliverFile(delivery: Delivery): Promise<string> {
  const { hands, store, from, file, named, signal } = delivery;
  const opened = await store.openParts(named, signal);
  if (typeof opened === 'string') return opened;
  const straight = opened === null ? undefined : await putByAgent(delivery, opened);
  if (straight !== undefined) return straight;
  hands.log.info({ node: from.node, file: file.name }, 'a file of a run goes through the operator');
  return await putByOperator(delivery);
}

/** Undefined: the agent can't put it there. */
async function putByAgent(
  { hands, uid, from, file, signal }: Delivery,
  upload: PartedUpload,
): Promise<string | undefined> {
  const bytes = Number(file.bytes);
  const count = Math.max(1, Math.ceil(bytes / upload.partBytes));
  const etags = new Map(upload.done);
  const missing = Array.from({ length: count }, (_, part) => part).filter((part) => !etags.has(part));
  let failed = false;

  const put = async (part: number): Promise<void> => {
    const start = part * upload.partBytes;
    for (let tries = 0; tries < mostTries && !failed; tries++) {
      if (tries > 0) await sleep(hands.clock, pauseMs * tries, signal);
      signal.throwIfAborted();
      const { url, headers } = await upload.sign(part);
      const size = Math.min(upload.partBytes, bytes - start);
      const answer = await agentOf(from).upload({
        ...{ uid, file: file.name, from: BigInt(start), bytes: size, url, headers },
      });
      if (upload.took(answer.status)) {
        etags.set(part, answer.etag);
        return;
      }
      hands.log.warn(
        { node: from.node, file: file.name, part, status: answer.status, error: answer.message },
        'a part was not put',
      );
      // Nothing answers there: trying the others would only take longer.
      if (answer.status === 0) break;
    }
    failed = true;
  };

  const worker = async (): Promise<void> => {
    for (let part = missing.shift(); part !== undefined && !failed; part = missing.shift()) await put(part);
  };
  const workers = Array.from({ length: upload.inOrder ? 1 : mostParts }, worker);
  const outcomes = await Promise.allSettled(workers);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  if (failed) return undefined;
  const ordered = Array.from({ length: count }, (_, part) => etags.get(part) ?? '');
  return await upload.complete(ordered, signal);
}

async function putByOperator({ hands, store, uid, from, file, named, signal }: Delivery): Promise<string> {
  const agent = agentOf(from);
  const itsFile: AgentApi = {
    ...agent,
    fetch: (job, start, until) => agent.fetch(job, start, until, file.name),
  };
  const { path } = await hands.collect(itsFile, uid, `${from.node}/${file.name}`, signal, () => undefined);
  try {
    return await store.put({ ...named, path }, signal);
  } finally {
    await rm(path, { force: true });
  }
}

function agentOf({ node, agent }: NodeFiles): AgentApi {
  const there = agent();
  if (there === undefined) throw new AgentCallError('Unreachable', `no agent is ready on ${node}`);
  return there;
}
