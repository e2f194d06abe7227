// What went wrong with a store, from what its vendor's SDK threw: a closed reason, and a sentence made of our own words and the vendor's error code.
// A vendor's own message is never passed on: it may hold keys, signatures, or whatever a stranger's server wrote. Neighbours: operator/stores/*.ts.

import { StoreError, type StoreReason } from './store.ts';

/** What was tried, for the sentence. */
export interface Attempt {
  verb: 'write' | 'read' | 'look for' | 'sign a URL for';
  /** s3://bucket/key: of a key, or of the bucket. */
  uri: string;
  /** s3://bucket, gs://bucket, https://account…/container. */
  place: string;
  /** Where it is sent to. */
  server: string;
}

const denied = new Set([
  ...[
    'AccessDenied',
    'AllAccessDisabled',
    'ExpiredToken',
    'Forbidden',
    'Unauthorized',
    'TokenRefreshRequired',
  ],
  ...[
    'InvalidAccessKeyId',
    'InvalidToken',
    'SignatureDoesNotMatch',
    'CredentialsProviderError',
    'NoCredentials',
  ],
  ...[
    'AuthenticationFailed',
    'AuthorizationFailure',
    'AuthorizationPermissionMismatch',
    'InvalidAuthenticationInfo',
  ],
  ...[
    'CredentialUnavailableError',
    'AuthenticationRequiredError',
    'AggregateAuthenticationError',
    'SigningError',
  ],
  ...['invalid_grant', 'unauthorized_client', 'InsufficientAccountPermissions', 'AccountIsDisabled'],
]);
const missing = new Set(['NoSuchBucket', 'ContainerNotFound', 'ContainerBeingDeleted', 'ResourceNotFound']);
const full = new Set([
  ...['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'StorageFull', 'ServiceQuotaExceeded'],
  ...['AccountLimitExceeded', 'ENOSPC', 'EDQUOT', 'EFBIG', 'quotaExceeded'],
]);
const unreachable = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
  ],
  ...[
    'ENETUNREACH',
    'ERR_STREAM_PREMATURE_CLOSE',
    'TimeoutError',
    'RequestTimeout',
    'SlowDown',
    'ServerBusy',
  ],
  ...[
    'InternalError',
    'ServiceUnavailable',
    'OperationTimedOut',
    'RestError',
    'REQUEST_SEND_ERROR',
    'UND_ERR_SOCKET',
  ],
]);
const certificate = /^(DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_|ERR_SSL_)/;

const advice: Record<StoreReason, string> = {
  StoreUnreachable: 'is the server up, and may the operator reach it? It is tried again',
  StoreDenied:
    "check the store's credentialsSecret, or what the operator's identity may do: it writes, reads and signs",
  StoreMissing: 'create it, or correct the name in the store',
  StoreFull: 'make room, or raise its quota',
  StoreInvalid: "compare the store's spec with the server: endpoint, region, certificate",
  ArtifactMissing: 'it was removed from the store, or the store now points elsewhere',
};

const why: Record<StoreReason, string> = {
  StoreUnreachable: 'gives no usable answer',
  StoreDenied: 'refuses the credentials',
  StoreMissing: 'does not know it',
  StoreFull: 'has no room left',
  StoreInvalid: 'does not take the request',
  ArtifactMissing: 'has no such file',
};

/** The error to throw for what an SDK threw; one that is a StoreError already is passed on. */
export function storeFailure(error: unknown, attempt: Attempt): StoreError {
  if (error instanceof StoreError) return error;
  const found = storeReason(error);
  // What can't be found when a file is written is the bucket, even where the server does not say so.
  const reason = found === 'ArtifactMissing' && attempt.verb === 'write' ? 'StoreMissing' : found;
  const code = shownCode(error);
  const message = `can't ${attempt.verb} ${reason === 'StoreMissing' ? attempt.place : attempt.uri}: ${attempt.server} ${why[reason]}${code}; ${advice[reason]}`;
  return new StoreError(reason, message, { cause: error });
}

/** Pure: by the codes of the error and of what caused it, then by the HTTP status. */
export function storeReason(error: unknown): StoreReason {
  const codes = codesOf(error);
  const is = (set: ReadonlySet<string>) => codes.some((code) => set.has(code));
  const status = statusOf(error);
  if (is(missing)) return 'StoreMissing';
  if (is(denied) || status === 401 || status === 403) return 'StoreDenied';
  if (is(full) || status === 507) return 'StoreFull';
  if (codes.some((code) => certificate.test(code))) return 'StoreInvalid';
  if (status === 404) return 'ArtifactMissing';
  if (status === 408 || status === 429 || (status !== undefined && status >= 500)) return 'StoreUnreachable';
  if (status !== undefined && status >= 300) return 'StoreInvalid';
  // No answer at all, or one that made no sense.
  return is(unreachable) || status === undefined ? 'StoreUnreachable' : 'StoreInvalid';
}

/** Whether a condition of the request did not hold: the file is there already. */
export function isPreconditionFailed(error: unknown): boolean {
  const codes = codesOf(error);
  return statusOf(error) === 412 || codes.includes('BlobAlreadyExists') || statusOf(error) === 409;
}

export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404 && !codesOf(error).some((code) => missing.has(code));
}

function shownCode(error: unknown): string {
  const [code] = codesOf(error).filter((name) => name !== 'Error' && name !== 'RestError');
  const status = statusOf(error);
  const shown = [code, status === undefined ? undefined : String(status)].filter(
    (part) => part !== undefined,
  );
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** Names and codes of the error and its causes, the most telling first; only words, never sentences. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 4) return [];
  const from = error as Record<string, unknown>;
  const own = [from.Code, from.code, from.name].filter(
    (value): value is string => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_]{1,63}$/.test(value),
  );
  const details = from.details as Record<string, unknown> | undefined;
  const more = [from.cause, details, ...(Array.isArray(from.errors) ? from.errors.slice(0, 4) : [])];
  return [...new Set([...own, ...more.flatMap((each) => codesOf(each, depth + 1))])];
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const from = error as Record<string, unknown>;
  const metadata = from.$metadata as { httpStatusCode?: unknown } | undefined;
  const found = [metadata?.httpStatusCode, from.statusCode, from.status, from.code].find(
    (value): value is number => typeof value === 'number' && value >= 100 && value < 600,
  );
  return found;
}
