// Operator and agent of different versions on one wire: what one has and the other has not is left out, refused or said, and never misread. The other side is made
// from agent.proto with fields and calls taken away, or with some more. Neighbours: agent/wire.ts, operator/follow.ts (protocols too far apart).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChannelCredentials,
  Client,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import { makeAuthority } from '../test/support/certificates.ts';
import { type AgentApi, AgentCallError, protocol } from './api.ts';
import { connectAgent, operatorCredentials } from './client.ts';
import { descriptor } from './generated/proto.ts';
import { serveAgent } from './serve.ts';
import { order, report } from './testdata/messages.ts';
import { orderMessage } from './wire-order.ts';
import { headMessage, reportMessage } from './wire-report.ts';

interface Proto {
  nested: Record<
    string,
    {
      fields?: Record<string, { type: string; id: number }>;
      methods?: Record<string, { requestType: string; responseType: string }>;
    }
  >;
}

/** agent.proto as another version has it. */
function serviceOf(change: (proto: Proto) => void): ServiceDefinition {
  const json = structuredClone(descriptor) as { nested: Record<string, unknown> };
  let here: unknown = json;
  for (const name of ['sonde', 'agent', 'v1alpha1'])
    here = (here as { nested: Record<string, unknown> }).nested[name];
  change(here as Proto);
  const definition = fromJSON(json as Parameters<typeof fromJSON>[0], {
    ...{ keepCase: true, longs: String, arrays: true, defaults: true },
  });
  return definition['sonde.agent.v1alpha1.Agent'] as ServiceDefinition;
}

const older = serviceOf(({ nested }) => {
  delete nested.Agent?.methods?.Upload;
  delete nested.RunHead?.fields?.files;
  delete nested.FetchRequest?.fields?.file;
  delete nested.RunOrder?.fields?.parts_above;
  delete nested.RunOrder?.fields?.generation;
});

const newer = serviceOf(({ nested }) => {
  for (const name of ['RunOrder', 'Report', 'NodeDescription', 'PodTarget', 'StopRequest'])
    Object.assign(nested[name]?.fields ?? assert.fail(name), { later: { type: 'string', id: 900 } });
  Object.assign(nested.Agent?.methods ?? assert.fail(), {
    Rewind: { requestType: 'StopRequest', responseType: 'Done' },
  });
});

const never = new AbortController().signal;
const description = {
  ...{ node: 'n', version: '0.0.9', protocol, kernel: '6.18', arch: 'x86' },
  ...{ features: [], gadgets: [], jobs: [] },
};

async function withOlderAgent(
  answers: UntypedServiceImplementation,
  use: (agent: AgentApi) => Promise<void>,
): Promise<void> {
  const server = new Server();
  server.addService(older, answers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const agent = connectAgent({
    address: `127.0.0.1:${port}`,
    credentials: ChannelCredentials.createInsecure(),
  });
  try {
    await use(agent);
  } finally {
    agent.close();
    server.forceShutdown();
  }
}

test('an operator works with an agent one version older: fields it does not know are left out, its run is whole, and a call it lacks is Refused', async () => {
  const asked: Record<string, unknown>[] = [];
  const rows = Buffer.from('{"n":1}\n');
  const answers: UntypedServiceImplementation = {
    Describe: (_call: ServerUnaryCall<unknown, unknown>, reply: (error: null, value: object) => void) =>
      reply(null, description),
    Run: (call: ServerWritableStream<Record<string, unknown>, object>) => {
      asked.push(call.request);
      call.write(reportMessage(report));
      call.end();
    },
    Retarget: (_call: unknown, reply: (error: null, value: object) => void) => reply(null, {}),
    Stop: (_call: unknown, reply: (error: null, value: object) => void) => reply(null, {}),
    Acknowledge: (_call: unknown, reply: (error: null, value: object) => void) => reply(null, {}),
    Fetch: (call: ServerWritableStream<Record<string, unknown>, object>) => {
      asked.push(call.request);
      const meta = { job: order.job } as never;
      call.write(headMessage({ meta, bytes: BigInt(rows.length), sha256: 'a'.repeat(64) }));
      call.write({ rows });
      call.end();
    },
  };
  await withOlderAgent(answers, async (agent) => {
    assert.equal((await agent.describe()).version, '0.0.9');
    for await (const each of agent.run({ ...order, partsAbove: 1000, generation: 3 }, never))
      assert.deepEqual(each, report);
    assert.equal(asked[0]?.job_uid, order.job.uid);
    assert.ok(!('parts_above' in (asked[0] ?? {})));
    const { head, rows: sent } = await agent.fetch(order.job.uid, 0n, never);
    assert.equal(head.files, undefined);
    for await (const part of sent) assert.deepEqual(Buffer.from(part), rows);
    const part = { uid: order.job.uid, file: 'events.jsonl', from: 0n, bytes: 1 };
    await assert.rejects(
      agent.upload({ ...part, url: 'https://bucket.example/key', headers: {} }),
      (error) =>
        error instanceof AgentCallError &&
        error.code === 'Refused' &&
        /UNIMPLEMENTED|not implement/i.test(error.message),
    );
  });
});

test('an agent works with an operator one version newer: what it does not know is passed over, and a call it lacks is said to be missing', async () => {
  const authority = await makeAuthority();
  const asked: unknown[] = [];
  const unused = () => assert.fail('not asked for');
  const api: AgentApi = {
    ...{ describe: unused, retarget: unused, fetch: unused, acknowledge: unused, upload: unused },
    async *run(given) {
      asked.push(given);
      yield report;
    },
    async stop(uid, discard) {
      asked.push({ uid, discard });
    },
    close: () => undefined,
  };
  const served = await serveAgent({
    ...{ api, port: 0, host: '127.0.0.1', certificates: await authority.agent() },
  });
  const client = new Client(`127.0.0.1:${served.port}`, operatorCredentials(await authority.operator()), {
    'grpc.ssl_target_name_override': 'agent.sonde.internal',
  });
  const method = (name: string): MethodDefinition<object, object> => newer[name] ?? assert.fail(name);
  const unary = (name: string, message: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method(name);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
  try {
    const { path, requestSerialize, responseDeserialize } = method('Run');
    const message = { ...orderMessage(order), later: 'a wish of the next version' };
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message);
    const reports: unknown[] = [];
    for await (const each of stream) reports.push(each);
    assert.deepEqual(asked, [order]);
    assert.equal((reports[0] as { later: string }).later, '');
    await unary('Stop', { job_uid: 'uid-1', discard: true, later: 'x' });
    assert.deepEqual(asked[1], { uid: 'uid-1', discard: true });
    await assert.rejects(
      unary('Rewind', { job_uid: 'uid-1' }),
      (error) => (error as ServiceError).code === status.UNIMPLEMENTED,
    );
  } finally {
    client.close();
    await served.close();
  }
});

test('a reason that only the other version has is passed on, a phase that it has is no answer', async () => {
  for (const [change, expected] of [
    [{ reason: 'MoonPhase', phase: 'Failed' }, 'MoonPhase'],
    [{ phase: 'Paused' }, undefined],
  ] as const) {
    const answers = {
      Run: (call: ServerWritableStream<unknown, object>) => {
        call.write({ ...reportMessage(report), ...change });
        call.end();
      },
    };
    await withOlderAgent(answers, async (agent) => {
      const next = agent.run(order, never)[Symbol.asyncIterator]().next();
      if (expected === undefined)
        await assert.rejects(
          next,
          (error) => error instanceof AgentCallError && /no answer/.test(error.message),
        );
      else assert.equal((await next).value?.reason, expected);
    });
  }
});
