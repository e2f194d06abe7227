// HTTP to the API server with the kubeconfig's identity: whole answers, and streams for watches and files. Neighbours: cli/cluster/access.ts (who and
// where), cli/cluster/refused.ts (what a refusal means).

import { type IncomingMessage, request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';
import { refusal } from './refused.ts';

export interface Call {
  /** For messages: "create TraceJob cpu-profile-x7k2p in namespace shop". */
  tried: string;
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query, encoded. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Given up when nothing has come for so long. Default 30 s. */
  idleMs?: number;
}

export interface Api {
  /** For messages. */
  server: string;
  /** An answer of 2xx, its body still to be read. Throws ApiRefused, CliError ClusterUnreachable. */
  open(call: Call): Promise<IncomingMessage>;
  /** The whole answer, read as JSON. */
  json(call: Call): Promise<unknown>;
}

/** More than any object or list of jobs should be. */
const longestAnswer = 64 << 20;
const longestRefusal = 1 << 16;

export function apiOf(kubeConfig: KubeConfig): Api {
  const cluster = kubeConfig.getCurrentCluster();
  const server = (cluster?.server ?? '').replace(/\/+$/, '');
  const open = async (call: Call): Promise<IncomingMessage> => {
    const options: RequestOptions = {};
    try {
      await kubeConfig.applyToHTTPSOptions(options);
    } catch (error) {
      // A credential plugin that fails, a certificate file that is not there.
      const why = escapeTerminal(error instanceof Error ? error.message : String(error), 500);
      throw new CliError('Unauthorized', `can't ${call.tried}: no credentials: ${why}`, { cause: error });
    }
    const response = await send(new URL(server + call.path), options, call).catch((error: unknown) => {
      throw unreachable(server, call, error);
    });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const body = await textOf(response, longestRefusal).catch(() => '');
    throw refusal(call.tried, status, body);
  };
  return {
    server,
    open,
    async json(call) {
      const response = await open(call);
      try {
        return JSON.parse(await textOf(response, longestAnswer)) as unknown;
      } catch (error) {
        throw unreachable(server, call, error);
      }
    },
  };
}

/** One request; resolves with the head of the answer, whatever its status. */
export function send(
  url: URL,
  options: RequestOptions,
  {
    method = 'GET',
    body,
    contentType = 'application/json',
    headers,
    signal,
    idleMs = 30_000,
  }: Omit<Call, 'tried' | 'path'>,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const request = (url.protocol === 'http:' ? requestHttp : requestHttps)(
    url,
    {
      ...options,
      method,
      headers: {
        ...(options.headers as Record<string, string> | undefined),
        'User-Agent': 'kubectl-sonde',
        ...(payload === undefined
          ? {}
          : { 'Content-Type': contentType, 'Content-Length': String(Buffer.byteLength(payload)) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    },
    resolve,
  );
  request.setTimeout(idleMs, () => request.destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
  request.on('error', reject);
  request.end(payload);
  return promise;
}

/** Throws where it is longer. */
async function textOf(response: IncomingMessage, longest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > longest) {
      response.destroy();
      throw new Error(`an answer of more than ${longest} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(server: string, { tried, signal }: Call, error: unknown): unknown {
  if (signal?.aborted === true) return signal.reason;
  const advice = /certificate|SSL|TLS|altnames/i.test(String(error))
    ? 'The server’s certificate is not of the kubeconfig’s authority: check its certificate-authority-data, and that this is the right server.'
    : undefined;
  return new CliError(
    'ClusterUnreachable',
    `can't ${tried}: ${escapeTerminal(server, 200)}: ${whyOf(error)}`,
    { cause: error, ...(advice === undefined ? {} : { advice }) },
  );
}

/** An error of a connection in one line; Node's own are empty where several addresses were tried. */
export function whyOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(whyOf).join('; ');
  return escapeTerminal(error instanceof Error ? error.message : String(error), 300);
}
