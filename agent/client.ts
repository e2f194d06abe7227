// An agent as the operator calls it: AgentApi over gRPC with mutual TLS 1.3. Neighbours: agent/serve.ts (answers), agent/wire.ts (the messages).

import { createSecureContext } from 'node:tls';
import {
  ChannelCredentials,
  Client,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { type AgentApi, type AgentCallCode, AgentCallError } from './api.ts';
import type { Certificates } from './certificates.ts';
import { CheckError } from './check.ts';
import { agentService } from './wire.ts';
import { orderMessage, retargetMessage } from './wire-order.ts';
import { descriptionFrom, partFrom, reportFrom } from './wire-report.ts';
import { uploadedFrom, uploadMessage } from './wire-upload.ts';

/** The name in every agent's certificate, asked for whatever its address. */
export const agentName = 'agent.sonde.internal';

/** How long a call may take that does little. */
const callMs = 10_000;
/** A part may take so long on its way from the node to the store. */
const uploadMs = 180_000;

export interface ConnectOptions {
  /** host:port */
  address: string;
  /** From operatorCredentials; share it among the connections to all agents. */
  credentials: ChannelCredentials;
}

/** The operator's own certificate as what connections are made with; to be made again when it was renewed. Throws where key and certificate don't fit. */
export function operatorCredentials({ ca, certificate, key }: Certificates): ChannelCredentials {
  const context = createSecureContext({ ca, cert: certificate, key, minVersion: 'TLSv1.3' });
  return ChannelCredentials.createFromSecureContext(context, {});
}

const service = agentService();

/** Connects with the first call, again whenever it was cut. */
export function connectAgent({ address, credentials }: ConnectOptions): AgentApi {
  const client = new Client(address, credentials, {
    'grpc.ssl_target_name_override': agentName,
    'grpc.default_authority': agentName,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    'grpc.max_receive_message_length': 4 << 20,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2000,
    'grpc.enable_channelz': 0,
    // Every agent is one address; what is not shared is closed with its client.
    'grpc.use_local_subchannel_pool': 1,
  });

  const call = async (name: string, message: object, limitMs = callMs): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { path, requestSerialize, responseDeserialize } = method(name);
    const options = { deadline: Date.now() + limitMs };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      (bytes: Buffer): unknown => responseDeserialize(bytes),
      message,
      options,
      (error, response) => (error === null ? resolve(response) : reject(error)),
    );
    return await promise.catch((error: unknown) => {
      throw asCallError(address, error);
    });
  };

  const stream = (name: string, message: object, signal: AbortSignal): ClientReadableStream<unknown> => {
    const { path, requestSerialize, responseDeserialize } = method(name);
    const opened = client.makeServerStreamRequest(
      path,
      requestSerialize,
      (bytes: Buffer): unknown => responseDeserialize(bytes),
      message,
    );
    const cancel = (): void => opened.cancel();
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    opened.on('close', () => signal.removeEventListener('abort', cancel));
    return opened;
  };

  /** A reply that is not one, and every error of the wire, is an AgentCallError. */
  const reading = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw asCallError(address, error);
    }
  };

  async function* run(
    order: Parameters<AgentApi['run']>[0],
    signal: AbortSignal,
  ): ReturnType<AgentApi['run']> {
    const opened = stream('Run', orderMessage(order), signal);
    try {
      const messages = opened[Symbol.asyncIterator]();
      for (;;) {
        const next = await reading(() => messages.next());
        if (next.done === true) return;
        yield await reading(async () => reportFrom(next.value));
      }
    } finally {
      // Who has read enough need not say so.
      opened.cancel();
    }
  }

  return {
    describe: async () => {
      const reply = await call('Describe', {});
      return await reading(async () => descriptionFrom(reply));
    },
    run,
    async retarget(uid, pods) {
      await call('Retarget', retargetMessage(uid, pods));
    },
    async stop(uid, discard) {
      await call('Stop', { job_uid: uid, discard });
    },
    async fetch(uid, from, signal, file = '') {
      const opened = stream('Fetch', { job_uid: uid, from: from.toString(), file }, signal);
      const parts = opened[Symbol.asyncIterator]();
      const next = async () =>
        await reading(async () => {
          const { done, value } = await parts.next();
          return done === true ? undefined : partFrom(value);
        });
      const first = await next();
      if (first === undefined || !('head' in first)) {
        opened.cancel();
        throw new AgentCallError('Internal', `${address} sent a run without its head`);
      }
      async function* rows(): AsyncGenerator<Uint8Array> {
        try {
          for (let part = await next(); part !== undefined; part = await next())
            if ('rows' in part) yield part.rows;
        } finally {
          opened.cancel();
        }
      }
      return { head: first.head, rows: rows() };
    },
    async upload(part) {
      const reply = await call('Upload', uploadMessage(part), uploadMs);
      return await reading(async () => uploadedFrom(reply));
    },
    async acknowledge(uid) {
      await call('Acknowledge', { job_uid: uid });
    },
    close: () => client.close(),
  };
}

function method(name: string): MethodDefinition<object, object> {
  const found = service[name];
  if (found === undefined) throw new TypeError(`agent.proto has no call ${name}`);
  return found;
}

const codes: ReadonlyMap<number, AgentCallCode> = new Map([
  [status.UNAVAILABLE, 'Unreachable'],
  [status.DEADLINE_EXCEEDED, 'Unreachable'],
  [status.CANCELLED, 'Unreachable'],
  [status.UNAUTHENTICATED, 'Unauthenticated'],
  [status.NOT_FOUND, 'UnknownJob'],
  [status.INVALID_ARGUMENT, 'Refused'],
  [status.RESOURCE_EXHAUSTED, 'Refused'],
  [status.UNIMPLEMENTED, 'Refused'],
]);

/** TLS says it in many words; none of them is a network's that is down. */
const refusedByTls = /certificate|ssl routines|alert|altnames/i;

function asCallError(address: string, error: unknown): AgentCallError {
  if (error instanceof AgentCallError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof CheckError)
    return new AgentCallError('Internal', `${address} answered what is no answer: ${said}`, { cause: error });
  if (!isServiceError(error)) return new AgentCallError('Internal', `${address}: ${said}`, { cause: error });
  const code = codes.get(error.code) ?? 'Internal';
  const refused = code === 'Unreachable' && refusedByTls.test(error.details);
  return new AgentCallError(refused ? 'Unauthenticated' : code, `${address}: ${error.details}`, {
    cause: error,
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
