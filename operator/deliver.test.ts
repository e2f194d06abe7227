// Files of runs on their way to a store: put by the agent, or through the operator; with agents and stores that are played over real HTTP and real disks.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type AgentApi, AgentCallError, type PartAnswer, type RunFile } from '../agent/api.ts';
import { putPart } from '../agent/upload.ts';
import { metaOf, tableShape } from '../results/samples.ts';
import { evenClock } from './clock.ts';
import type { JobObject } from './cluster.ts';
import { collector } from './collect.ts';
import { type DeliverHands, deliverer, type NodeFiles } from './deliver.ts';
import { FilesystemStore } from './stores/filesystem.ts';
import { type NamedFile, type PartedUpload, type Store, StoreError } from './stores/store.ts';

const never = new AbortController().signal;
const bytes = randomBytes(1_000_003);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file: RunFile = {
  name: 'capture.pcapng',
  mediaType: 'application/x-pcapng',
  bytes: BigInt(bytes.length),
  sha256,
};
const job = {
  kind: 'TraceJob',
  metadata: { name: 'capture', namespace: 'shop', uid: 'uid-1' },
} as unknown as JobObject;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonde-deliver-'));
  await writeFile(join(folder, 'capture'), bytes);
});
after(() => rm(folder, { recursive: true }));

interface PlayedAgent {
  from: NodeFiles;
  fetched: (string | undefined)[];
  uploads: number;
}

/** An agent that has the file; `answer` says what becomes of a part, undefined: it is really put. */
function agentOn(node: string, answer: (count: number) => PartAnswer | undefined): PlayedAgent {
  const unused = () => assert.fail('not asked for');
  const played: PlayedAgent = {
    fetched: [],
    uploads: 0,
    from: { node, files: [file], agent: () => agent },
  };
  const agent: AgentApi = {
    describe: unused,
    run: unused,
    retarget: unused,
    stop: unused,
    acknowledge: unused,
    close: unused,
    async fetch(_uid, from, _signal, name) {
      played.fetched.push(name);
      async function* rows() {
        yield bytes.subarray(Number(from));
      }
      const head = { meta: metaOf(tableShape, 'packets'), bytes: file.bytes, sha256 };
      return { head, rows: rows() };
    },
    upload: async (part) => answer(++played.uploads) ?? (await putPart(join(folder, 'capture'), part)),
  };
  return played;
}

/** A store that takes parts of 300,000 bytes over HTTP, and refuses the first `refusals` of them. */
async function partedStore(
  refusals: number,
  use: (store: Store, parts: Map<string, Buffer>) => Promise<void>,
): Promise<void> {
  const parts = new Map<string, Buffer>();
  let left = refusals;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (left-- > 0) return response.writeHead(503).end();
    parts.set(request.url ?? '', body);
    response.writeHead(200, { etag: `"${body.length}"` }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const disk = new FilesystemStore(join(folder, `store-${port}`));
  const upload = ({ key }: NamedFile): PartedUpload => ({
    partBytes: 300_000,
    inOrder: false,
    done: new Map([[1, '"from before"']]),
    sign: async (part) => ({ url: `http://127.0.0.1:${port}/${part}`, headers: {} }),
    took: (status) => status === 200,
    async complete(etags) {
      return `s3://bucket/${key} ${etags.join(' ')}`;
    },
  });
  const store: Store = {
    put: (stored, signal) => disk.put(stored, signal),
    openParts: async (named) => upload(named),
    signedUrl: async () => null,
    read: (key, signal) => disk.read(key, signal),
    check: async () => undefined,
    close: () => undefined,
  };
  try {
    await use(store, parts);
  } finally {
    server.close();
  }
}

function handsWith(store: Store, change: Partial<DeliverHands> = {}): DeliverHands {
  const clock = evenClock();
  const silent = () => undefined;
  return {
    collect: collector(join(folder, 'scratch'), clock),
    openStore: async () => ({ store, prefix: 'traces/' }),
    clock,
    log: { info: silent, warn: silent, error: silent },
    ...change,
  };
}

test('an agent that reaches the store puts the parts that are missing itself; the operator touches no byte', async () => {
  await partedStore(1, async (store, parts) => {
    const played = agentOn('node-1', () => undefined);
    const delivered = await deliverer(handsWith(store))(job, 'default', [played.from], never);
    assert.deepEqual(delivered.lost, []);
    assert.deepEqual(delivered.artifacts, [
      {
        name: 'capture.node-1.pcapng',
        mediaType: file.mediaType,
        bytes: bytes.length,
        sha256,
        uri: 's3://bucket/traces/shop/capture/uid-1/capture.node-1.pcapng "300000" "from before" "300000" "100003"',
      },
    ]);
    assert.deepEqual([...parts.keys()].sort(), ['/0', '/2', '/3']);
    assert.ok(parts.get('/2')?.equals(bytes.subarray(600_000, 900_000)));
    assert.equal(played.uploads, 4, 'the part that was refused was put again');
    assert.deepEqual(played.fetched, []);
  });
});

test('what an agent does not reach, or is refused, goes through the operator, and nothing stays on its disk', async () => {
  const answers: PartAnswer[] = [
    { status: 0, etag: '', message: 'EHOSTUNREACH' },
    { status: 403, etag: '', message: '' },
  ];
  for (const answer of answers)
    await partedStore(0, async (store) => {
      const played = agentOn('node-2', () => answer);
      const { artifacts, lost } = await deliverer(handsWith(store))(job, 'default', [played.from], never);
      assert.deepEqual(lost, []);
      const [stored] = artifacts;
      assert.match(stored?.uri ?? '', /^file:.*\/shop\/capture\/uid-1\/capture\.node-2\.pcapng$/);
      assert.ok((await readFile(new URL(stored?.uri ?? ''))).equals(bytes));
      assert.deepEqual(played.fetched, ['capture.pcapng']);
      assert.ok(answer.status !== 0 || played.uploads <= 3, 'nobody waits for the same silence again');
      assert.deepEqual(await readdir(join(folder, 'scratch', 'uid-1')), []);
    });
});

test('a store on the volume of the operator gets it through the operator', async () => {
  const store = new FilesystemStore(join(folder, 'volume'));
  const played = agentOn('node-3', () => assert.fail('there is no URL'));
  const { artifacts } = await deliverer(handsWith(store))(job, 'default', [played.from], never);
  assert.equal(artifacts.length, 1);
  assert.deepEqual(played.fetched, ['capture.pcapng']);
});

test('a node whose agent is gone loses its files, and no other node does', async () => {
  await partedStore(0, async (store) => {
    let now = 0;
    const clock = {
      now: () => now,
      after(ms: number, run: () => void) {
        now += ms;
        setImmediate(run);
        return () => undefined;
      },
    };
    const gone: NodeFiles = { node: 'node-4', files: [file], agent: () => undefined };
    const restarted = agentOn('node-5', () => {
      throw new AgentCallError('UnknownJob', 'there is no job');
    });
    const there = agentOn('node-6', () => undefined);
    const deliver = deliverer(handsWith(store, { clock }));
    const { artifacts, lost } = await deliver(job, 'default', [gone, restarted.from, there.from], never);
    assert.deepEqual(
      artifacts.map(({ name }) => name),
      ['capture.node-6.pcapng'],
    );
    assert.deepEqual(lost.map(({ node, refusal }) => [node, refusal.reason]).sort(), [
      ['node-4', 'AgentUnreachable'],
      ['node-5', 'AgentRefused'],
    ]);
  });
});

test('a store that refuses is the failure of the job, with its reason', async () => {
  const store = new FilesystemStore(join(folder, 'denied'));
  const refused: Store = {
    put: (stored, signal) => store.put(stored, signal),
    openParts: () => Promise.reject(new StoreError('StoreDenied', 'may not write')),
    signedUrl: async () => null,
    read: (key, signal) => store.read(key, signal),
    check: async () => undefined,
    close: () => undefined,
  };
  const played = agentOn('node-7', () => undefined);
  await assert.rejects(deliverer(handsWith(refused))(job, 'default', [played.from], never), {
    name: 'PublishError',
    refusal: { reason: 'StoreDenied', message: 'may not write' },
  });
});
