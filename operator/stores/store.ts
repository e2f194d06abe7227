// Where results go: one interface over a folder, S3, GCS and Azure. Each kind is a file beside this one that loads its vendor's SDK only when it
// is opened (operator/stores/open.ts). Neighbours: crds/trace-store.ts (the spec), operator/publish.ts (who writes), operator/artifacts.ts (who signs).

export interface StoredFile {
  /** <prefix>/<namespace or _cluster>/<job>/<uid>/<file>: holds the job's uid, so nothing is ever written over. */
  key: string;
  /** A file on the operator's disk. */
  path: string;
  mediaType: string;
  bytes: number;
  sha256: string;
}

export interface Store {
  /** Uploads, in parts where it is large; resolves when the store says that it is durable. Writing the same file again is no error. Gives its URI
   *  (file:, s3:, gs:, https:). Throws StoreError. */
  put(file: StoredFile, signal: AbortSignal): Promise<string>;
  /** A URL that gives the file without credentials until it expires; null where the store has none of its own (filesystem: operator/artifacts.ts
   *  serves it). Throws StoreError. */
  signedUrl(key: string, expiresSeconds: number): Promise<string | null>;
  /** Reads a stored file: for clients that can't reach the bucket themselves. Throws StoreError. */
  read(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Shows that it can be written to, with the rights it has. Throws StoreError. */
  check(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Closed. Unreachable and Full may be tried again. */
export type StoreReason =
  | 'StoreUnreachable'
  | 'StoreDenied'
  | 'StoreMissing'
  | 'StoreFull'
  | 'StoreInvalid'
  | 'ArtifactMissing';

export class StoreError extends Error {
  override name = 'StoreError';
  readonly reason: StoreReason;

  /** message: what was tried, why it failed, what to do; one line, no credentials. */
  constructor(reason: StoreReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}
