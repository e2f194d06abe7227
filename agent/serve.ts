// An AgentApi over gRPC: what agent/client.ts calls. It knows no job: agent/jobs.ts is what it serves on a node, the operator's tests serve simulated ones.
// Neighbours: agent/door.ts (who gets in), agent/wire.ts (the messages).

import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type AgentApi, type AgentCallCode, AgentCallError } from './api.ts';
import type { Certificates } from './certificates.ts';
import { CheckError } from './check.ts';
import { openDoor } from './door.ts';
import { AgentError } from './errors.ts';
import { agentService, fetchFrom, mostMessageBytes, partBytes, stopFrom, uidFrom } from './wire.ts';
import { orderFrom, retargetFrom } from './wire-order.ts';
import { descriptionMessage, headMessage, reportMessage } from './wire-report.ts';
import { uploadedMessage, uploadFrom } from './wire-upload.ts';

export interface ServeOptions {
  api: AgentApi;
  /** 0: any that is free. */
  port: number;
  /** Absent: all addresses. */
  host?: string;
  certificates: Certificates;
  /** Told of connections that were turned away. */
  onStranger?: (from: string, why: string) => void;
  /** Told of errors that are not the caller's. */
  onFailure?: (error: unknown) => void;
}

export interface ServedAgent {
  port: number;
  use(certificates: Certificates): void;
  close(): Promise<void>;
}

const statusOf: Record<AgentCallCode, status> = {
  Unreachable: status.UNAVAILABLE,
  Unauthenticated: status.UNAUTHENTICATED,
  UnknownJob: status.NOT_FOUND,
  Refused: status.INVALID_ARGUMENT,
  Internal: status.INTERNAL,
};

/** Opens the port and answers until closed. */
export async function serveAgent(options: ServeOptions): Promise<ServedAgent> {
  const { api } = options;
  const server = new Server({
    'grpc.max_receive_message_length': mostMessageBytes,
    'grpc.max_concurrent_streams': 1000,
    'grpc.max_connection_idle_ms': 10 * 60_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.enable_channelz': 0,
  });

  const failed = (error: unknown): Pick<StatusObject, 'code' | 'details'> => {
    const known = asCallError(error);
    if (known.code === 'Internal') options.onFailure?.(error);
    return { code: statusOf[known.code], details: known.message };
  };

  const unary =
    (answer: (message: unknown) => Promise<object>) =>
    (call: ServerUnaryCall<unknown, object>, reply: sendUnaryData<object>): void => {
      answer(call.request).then(
        (message) => reply(null, message),
        (error: unknown) => reply(failed(error), null),
      );
    };

  const stream =
    (answer: (message: unknown, signal: AbortSignal) => AsyncIterable<object>) =>
    (call: ServerWritableStream<unknown, object>): void => {
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      call.on('error', () => gone.abort());
      writeAll(call, answer(call.request, gone.signal), gone.signal).then(
        () => call.end(),
        (error: unknown) => {
          if (!gone.signal.aborted) call.emit('error', failed(error));
        },
      );
    };

  server.addService(agentService(), {
    Describe: unary(async () => descriptionMessage(await api.describe())),
    Run: stream(async function* (message, signal) {
      for await (const report of api.run(orderFrom(message), signal)) yield reportMessage(report);
    }),
    Retarget: unary(async (message) => {
      const { uid, pods } = retargetFrom(message);
      await api.retarget(uid, pods);
      return {};
    }),
    Stop: unary(async (message) => {
      const { uid, discard } = stopFrom(message);
      await api.stop(uid, discard);
      return {};
    }),
    Fetch: stream(async function* (message, signal) {
      const { uid, from, file } = fetchFrom(message);
      const { head, rows } = await api.fetch(uid, from, signal, file);
      yield headMessage(head);
      for await (const bytes of rows)
        for (let at = 0; at < bytes.length; at += partBytes)
          yield { rows: bytes.subarray(at, at + partBytes) };
    }),
    Upload: unary(async (message) => uploadedMessage(await api.upload(uploadFrom(message)))),
    Acknowledge: unary(async (message) => {
      await api.acknowledge(uidFrom(message));
      return {};
    }),
  });

  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const door = await openDoor({
    port: options.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    certificates: options.certificates,
    onGuest: (socket) => injector.injectConnection(socket),
    onStranger: (from, why) => options.onStranger?.(from, why),
  });
  return {
    port: door.port,
    use: door.use,
    async close() {
      server.forceShutdown();
      await door.close();
    },
  };
}

/** Writes as fast as the other end reads, and no faster: what waits is one message. */
async function writeAll(
  call: ServerWritableStream<unknown, object>,
  messages: AsyncIterable<object>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    if (signal.aborted) return;
    if (call.write(message)) continue;
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    call.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await ready;
    call.off('drain', resolve);
  }
}

function asCallError(error: unknown): AgentCallError {
  if (error instanceof AgentCallError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof CheckError || error instanceof AgentError)
    return new AgentCallError('Refused', said, { cause: error });
  return new AgentCallError('Internal', said, { cause: error });
}
