// Puts a part of a file to a URL that somebody signed, streaming from the disk: what the store answers is passed on, and nothing is followed or tried again.
// Neighbours: agent/jobs.ts (which file), operator/deliver.ts (who signs, and judges the answer).

import { createReadStream } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { PartAnswer, PartUpload } from './api.ts';

/** A store that takes and says nothing for so long is not reached: where agents can't reach the bucket, packets are dropped and nobody says so. */
const silenceMs = 10_000;
const mostMessage = 200;

export async function putPart(
  path: string,
  { from, bytes, url, headers }: Omit<PartUpload, 'uid' | 'file'>,
): Promise<PartAnswer> {
  const { promise, resolve } = Promise.withResolvers<PartAnswer>();
  const failed = (error: unknown): void => resolve({ status: 0, etag: '', message: wordsOf(error) });
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  let call: ReturnType<typeof requestHttp>;
  try {
    call = send(url, {
      method: 'PUT',
      headers: { ...headers, 'content-length': bytes },
      timeout: silenceMs,
      // A connection that is kept could be cut by the store at the moment of the next part.
      agent: false,
    });
  } catch (error) {
    return { status: 0, etag: '', message: wordsOf(error) };
  }
  call.on('timeout', () => call.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
  call.on('error', failed);
  call.on('response', (answer) => {
    answer.resume();
    answer.on('error', failed);
    answer.on('end', () => {
      const { etag = '', range = '' } = answer.headers;
      resolve({ status: answer.statusCode ?? 0, etag, message: `${range}` });
    });
  });
  const last = Number(from) + bytes - 1;
  const body = bytes === 0 ? [] : createReadStream(path, { start: Number(from), end: last });
  pipeline(body, call).catch(failed);
  return await promise;
}

/** A code where there is one: URLs are signed, and no message of ours may hold one. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (code ?? error.message.replace(/https?:\/\/\S+/g, 'its URL')).slice(0, mostMessage);
}
