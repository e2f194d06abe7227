// Where results go: one interface over a folder, S3, GCS and Azure. Each kind is a file beside this one that loads its vendor's SDK only when it
// is opened (operator/stores/open.ts). Neighbours: crds/trace-store.ts (the spec), operator/stores/failure.ts (what SDKs throw),
// operator/publish.ts (who writes), operator/artifacts.ts (who signs).

export interface StoredFile {
  /** <prefix>/<namespace or _cluster>/<job>/<uid>/<file> (artifactKey): holds the job's uid, so nothing is ever written over. */
  key: string;
  /** A file on the operator's disk. */
  path: string;
  mediaType: string;
  bytes: number;
  sha256: string;
}

/** A file whose bytes are elsewhere: on a node. */
export type NamedFile = Omit<StoredFile, 'path'>;

/** A request by which somebody without credentials puts one part. */
export interface SignedPart {
  url: string;
  headers: Record<string, string>;
}

/** A file that goes up in parts, put by somebody else than the operator. */
export interface PartedUpload {
  /** Of each part but the last. */
  partBytes: number;
  /** Parts must follow each other: the protocol knows no other way. */
  inOrder: boolean;
  /** How many parts the store has from an earlier attempt, from the first one on; or, not `inOrder`, which, by their numbers from 0, with their ETags. */
  done: ReadonlyMap<number, string>;
  /** Throws StoreError. */
  sign(part: number): Promise<SignedPart>;
  /** Whether an answer to a part says that it is there. */
  took(status: number): boolean;
  /** The parts' ETags in order. When it resolves the file is durable; gives its URI. Throws StoreError, StoreInvalid where what is there is not the file. */
  complete(etags: readonly string[], signal: AbortSignal): Promise<string>;
}

/** Bytes of a file, both ends included. */
export interface ByteRange {
  from: number;
  to: number;
}

export interface Store {
  /** Uploads, in parts where it is large; resolves when the store says that it is durable. Writing the same file again is no error; writing another
   *  one under its key is StoreInvalid, and changes nothing. Gives its URI (file:, s3:, gs:, https:). Throws StoreError. */
  put(file: StoredFile, signal: AbortSignal): Promise<string>;
  /** Begins, or takes up, an upload by others; a text: the file is there already, by this URI; null: nobody but the operator can write there. Throws
   *  StoreError. */
  openParts(file: NamedFile, signal: AbortSignal): Promise<PartedUpload | string | null>;
  /** A URL that gives the file without credentials until it expires; null where the store has none of its own (filesystem: operator/artifacts.ts
   *  serves it). Throws StoreError. */
  signedUrl(key: string, expiresSeconds: number): Promise<string | null>;
  /** Reads a stored file, or a part of it: for clients that can't reach the bucket themselves. Throws StoreError. */
  read(key: string, signal: AbortSignal, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>;
  /** Shows that it can be written to, with the rights it has. Throws StoreError. */
  check(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Whose a file is. `edition`: of a second result, which came after one that no status names. */
export interface FileOwner {
  namespace: string | null;
  name: string;
  uid: string;
  edition?: string | undefined;
}

/** prefix: '' or ending with a slash. */
export function artifactKey(
  prefix: string,
  { namespace, name, uid, edition }: FileOwner,
  file: string,
): string {
  const folder = edition === undefined ? uid : `${uid}/${edition}`;
  return `${prefix}${namespace ?? '_cluster'}/${name}/${folder}/${file}`;
}

/** Of a file in the store, by its URI as a status has it. */
export function editionOf(uri: string, uid: string): string | undefined {
  const [edition, ...more] = uri.slice(uri.lastIndexOf(`/${uid}/`) + uid.length + 2).split('/');
  return more.length === 1 && edition !== undefined && editionForm.test(edition) ? edition : undefined;
}

export const editionForm = /^[0-9a-f]{8}$/;

/** A file may be written again, but not another one in its place. Throws StoreError. */
export function checkSame(
  file: NamedFile,
  uri: string,
  there: { bytes: number; sha256: string | undefined },
): void {
  if (there.bytes === file.bytes && there.sha256 === file.sha256) return;
  throw new FileTaken(
    `can't write ${uri}: another file has its name already, of ${there.bytes} bytes, and nothing is ever written over; remove it`,
  );
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

/** Another file has the name. */
export class FileTaken extends StoreError {
  constructor(message: string) {
    super('StoreInvalid', message);
  }
}
