// Signed paths: /v1/<what and until when>.<signature>/<file>. One names one file of one job, and can't be changed into another. Pure. Neighbours:
// operator/artifacts.ts signs, operator/artifacts-server.ts checks.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { artifactFile } from '../crds/trace-artifact.ts';
import { editionForm } from './stores/store.ts';

/** What is signed: all that the server needs to know, so that it need not ask anybody. */
const claimsSchema = z.strictObject({
  /** null: of a ClusterTraceJob. */
  namespace: z.string().max(63).nullable(),
  job: z.string().max(253),
  uid: z.string().max(64),
  edition: z.string().regex(editionForm).optional(),
  file: z.string().max(253).regex(artifactFile),
  store: z.string().max(253),
  mediaType: z.string().max(127),
  bytes: z.int().min(0),
  sha256: z.string().max(64),
  /** ms since the Unix epoch. */
  expires: z.int(),
});

export type Claims = z.output<typeof claimsSchema>;

export type Verdict =
  | { kind: 'Valid'; claims: Claims }
  /** No path of ours, or changed. */
  | { kind: 'Forged' }
  | { kind: 'Expired' };

/** Longer than any of ours. */
const longestPath = 4096;

export function signedPath(key: Buffer, claims: Claims): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `/v1/${payload}.${signature(key, payload).toString('base64url')}/${claims.file}`;
}

/** path: as it came, without a query. Nothing of it is used before its signature is found right. */
export function checkPath(key: Buffer, path: string, now: number): Verdict {
  const [, payload = '', given = '', file = ''] =
    path.length > longestPath ? [] : (/^\/v1\/([\w-]+)\.([\w-]{43})\/([\w.-]+)$/.exec(path) ?? []);
  if (payload === '' || !timingSafeEqual(signature(key, payload), decoded(given))) return { kind: 'Forged' };
  const claims = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  if (claims.file !== file) return { kind: 'Forged' };
  return now < claims.expires ? { kind: 'Valid', claims } : { kind: 'Expired' };
}

function signature(key: Buffer, payload: string): Buffer {
  return createHmac('sha256', key).update(`sonde artifact v1\n${payload}`).digest();
}

/** 43 characters of base64url are 32 bytes; the last one's spare bits are ignored, which forges nothing. */
function decoded(given: string): Buffer {
  return Buffer.from(given, 'base64url');
}
