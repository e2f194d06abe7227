// A part of a run's file on its way to a store, as messages of agent.proto, both ways. Neighbours: agent/wire.ts, agent/upload.ts (puts it).

import type { PartAnswer, PartUpload } from './api.ts';
import { CheckError, listOf, members, text } from './check.ts';
import { limits } from './limits.ts';
import { amount, asUid, fileName, type Message, unsigned, whole } from './wire.ts';

/** The largest part that a store's protocol may need, and more than that no agent sends in one go. */
const mostPartBytes = 5n << 30n;

const wireUpload = whole(
  members<{
    job_uid: string;
    file: string;
    from: bigint;
    bytes: bigint;
    url: string;
    headers: { name: string; value: string }[];
  }>(
    {
      job_uid: asUid,
      file: fileName,
      from: unsigned,
      bytes: unsigned,
      url: text(8192, /^https?:\/\/[\x21-\x7e]+$/),
      headers: listOf(
        whole(
          members<{ name: string; value: string }>(
            { name: text(100, /^[A-Za-z0-9-]+$/), value: text(4096, /^[\x20-\x7e]*$/) },
            {},
          ),
        ),
        32,
      ),
    },
    {},
  ),
);

/** Throws CheckError. */
export function uploadFrom(message: unknown): PartUpload {
  const { job_uid: uid, bytes, headers, ...plain } = wireUpload(message, '');
  if (bytes > mostPartBytes) throw new CheckError('bytes', `at most ${mostPartBytes}`);
  return {
    ...plain,
    uid,
    bytes: Number(bytes),
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
  };
}

export function uploadMessage({ uid, file, from, bytes, url, headers }: PartUpload): Message {
  return {
    job_uid: uid,
    file,
    from: from.toString(),
    bytes: bytes.toString(),
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  };
}

const wireUploaded = whole(
  members<PartAnswer>(
    { status: amount, etag: text(1024, /^[\x20-\x7e]*$/), message: text(limits.messageLength) },
    {},
  ),
);

/** Throws CheckError. */
export function uploadedFrom(message: unknown): PartAnswer {
  return wireUploaded(message, '');
}

export function uploadedMessage({ status, etag, message }: PartAnswer): Message {
  return { status, etag: etag.slice(0, 1024), message: message.slice(0, limits.messageLength) };
}
