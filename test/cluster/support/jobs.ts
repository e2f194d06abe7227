// Jobs for scenario tests: a store in a bucket of the test's own, a job applied and followed to its end, its files read back from S3.
// Neighbours: sonde.ts (installs the chart), workloads.ts (pods to trace).

import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { TraceJobStatus } from '../../../crds/status.ts';
import type { TestCluster } from './cluster.ts';
import { sondeNamespace } from './sonde.ts';

export interface JobWish {
  kind?: 'TraceJob' | 'ClusterTraceJob';
  name: string;
  /** Of a TraceJob. */
  namespace?: string;
  /** spec.trace. */
  trace: Record<string, object>;
  target?: object;
  duration: string;
  store: string;
  /** Other members of spec. */
  spec?: object;
}

export interface JobObject {
  metadata: { name: string; uid: string; finalizers?: string[] };
  spec: Record<string, unknown>;
  status?: TraceJobStatus;
}

export function job(wish: JobWish): object {
  const { kind = 'TraceJob', name, namespace, trace, target, duration, store } = wish;
  return {
    apiVersion: 'sonde.dev/v1alpha1',
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      trace,
      ...(target === undefined ? {} : { target }),
      duration,
      store: { name: store },
      ...wish.spec,
    },
  };
}

/** With its group: another test may have a kind of the same name. */
export function resource(kind: NonNullable<JobWish['kind']>): string {
  return `${kind.toLowerCase()}s.sonde.dev`;
}

export function condition(status: TraceJobStatus | undefined, type: string) {
  return status?.conditions?.find((one) => one.type === type);
}

/** Waits until the job has ended, well or not; gives its status. */
export async function ended(cluster: TestCluster, wish: JobWish, limit = 120_000): Promise<TraceJobStatus> {
  return await until(cluster, wish, 'has ended', limit, (status) =>
    ['Complete', 'Failed'].some((type) => condition(status, type)?.status === 'True'),
  );
}

/** Waits until probes are attached on all of its nodes. */
export async function attached(cluster: TestCluster, wish: JobWish, limit = 60_000): Promise<TraceJobStatus> {
  return await until(
    cluster,
    wish,
    'is attached',
    limit,
    (status) => condition(status, 'Attached')?.status === 'True',
  );
}

/** Waits until the status is as wanted; the last one seen is in what is thrown. */
export async function until(
  cluster: TestCluster,
  { kind = 'TraceJob', name, namespace }: JobWish,
  what: string,
  limit: number,
  holds: (status: TraceJobStatus) => boolean,
): Promise<TraceJobStatus> {
  let last: TraceJobStatus | undefined;
  try {
    return await cluster.waitFor(
      `${kind} ${name} ${what}`,
      async () => {
        last = (await cluster.get<JobObject>(resource(kind), name, namespace))?.status;
        return last !== undefined && holds(last) ? last : undefined;
      },
      limit,
    );
  } catch (cause) {
    throw new Error(
      `${kind} ${name} ${what}: not within ${limit / 1000} s; ${JSON.stringify(last, null, 1)}`,
      {
        cause,
      },
    );
  }
}

export interface TestStore {
  name: string;
  bucket: string;
  /** A file of a result, checked against its size and digest. */
  read(status: TraceJobStatus, file: string): Promise<string>;
}

/** A ClusterTraceStore over a bucket of this test's own; both are gone after it. */
export async function testStore(cluster: TestCluster, t: TestContext): Promise<TestStore> {
  const { name: bucket, client } = await cluster.bucket(t);
  const { endpoint, region, accessKeyId, secretAccessKey } = cluster.s3;
  const secret = `${bucket}-keys`;
  await cluster.apply([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secret, namespace: sondeNamespace },
      stringData: { accessKeyId, secretAccessKey },
    },
    {
      apiVersion: 'sonde.dev/v1alpha1',
      kind: 'ClusterTraceStore',
      metadata: { name: bucket },
      spec: { s3: { bucket, region, endpoint, forcePathStyle: true, credentialsSecret: { name: secret } } },
    },
  ]);
  t.after(async () => {
    await cluster.kubectl(['delete', 'clustertracestores.sonde.dev', bucket, '--ignore-not-found']);
    await cluster.kubectl(['delete', 'secret', secret, '-n', sondeNamespace, '--ignore-not-found']);
  });
  return { name: bucket, bucket, read: (status, file) => readFile(client, bucket, status, file) };
}

async function readFile(
  client: S3Client,
  bucket: string,
  status: TraceJobStatus,
  name: string,
): Promise<string> {
  const artifact = status.artifacts?.find((one) => one.name === name);
  if (artifact === undefined)
    throw new Error(`the status names no ${name}: ${JSON.stringify(status.artifacts)}`);
  const Key = artifact.uri.replace(`s3://${bucket}/`, '');
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length !== artifact.bytes || sha256 !== artifact.sha256)
    throw new Error(`${artifact.uri} has not the bytes that the status names`);
  return Buffer.from(bytes).toString('utf8');
}

/** Events of Kubernetes' own about a job, as "type reason". */
export async function eventsOf(cluster: TestCluster, wish: JobWish): Promise<string[]> {
  const text = await cluster.kubectl([
    ...['get', 'events.events.k8s.io', '-n', wish.namespace ?? 'default', '-o', 'json'],
  ]);
  const { items }: { items: { type: string; reason: string; regarding?: { name: string } }[] } =
    JSON.parse(text);
  return items
    .filter(({ regarding }) => regarding?.name === wish.name)
    .map(({ type, reason }) => `${type} ${reason}`);
}

/** A line of events.jsonl as far as scenario tests look. */
export interface EventRow {
  node: string;
  namespace: string | null;
  pod: string | null;
  container: string | null;
  process: string;
  [column: string]: unknown;
}

export async function eventRows(
  store: TestStore,
  status: TraceJobStatus,
  file = 'events.jsonl',
): Promise<EventRow[]> {
  const text = await store.read(status, file);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** How many rows each key has. */
export function tally<T>(rows: readonly T[], key: (row: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
  return counts;
}
