// Google Cloud Storage, by Google's own SDK. Neighbours: operator/stores/open.ts opens it, operator/stores/failure.ts says what went wrong.

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Bucket, type File, Storage, type StorageOptions } from '@google-cloud/storage';
import type { StoreSpec } from '../../crds/trace-store.ts';
import { type Attempt, isNotFound, isPreconditionFailed, storeFailure } from './failure.ts';
import { resumable } from './gcs-parts.ts';
import {
  type ByteRange,
  checkSame,
  type NamedFile,
  type PartedUpload,
  type Store,
  type StoredFile,
} from './store.ts';

/** From here on an upload is one that can go on after a broken connection, in chunks. */
const resumableBytes = 8 << 20;

export interface GcsKey {
  client_email: string;
  private_key: string;
  project_id?: string;
}

export class GcsStore implements Store {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #server: string;

  /** Without a key, the SDK's default chain: workload identity. */
  constructor(spec: NonNullable<StoreSpec['gcs']>, prefix: string, key: GcsKey | undefined) {
    const options: StorageOptions = { retryOptions: { maxRetries: 3, totalTimeout: 60 }, timeout: 30_000 };
    if (spec.endpoint !== undefined) {
      options.apiEndpoint = spec.endpoint;
      // A Google endpoint of another name (Private Service Connect) wants tokens; a stranger's server must not get one.
      options.useAuthWithCustomEndpoint = /\.googleapis\.com(:443)?$/.test(spec.endpoint);
    }
    if (key !== undefined) {
      options.credentials = key;
      if (key.project_id !== undefined) options.projectId = key.project_id;
    }
    this.#bucket = new Storage(options).bucket(spec.bucket);
    this.#prefix = prefix;
    this.#server = spec.endpoint ?? 'Google Cloud Storage';
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<string> {
    const target = this.#bucket.file(file.key);
    const uri = `gs://${this.#bucket.name}/${file.key}`;
    if (await this.#isThere(file, target, signal)) return uri;
    try {
      const sink = target.createWriteStream({
        resumable: file.bytes >= resumableBytes,
        chunkSize: resumableBytes,
        validation: 'crc32c',
        metadata: { contentType: file.mediaType, metadata: { sha256: file.sha256 } },
        preconditionOpts: { ifGenerationMatch: 0 },
      });
      await pipeline(createReadStream(file.path), sink, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (isPreconditionFailed(error) && (await this.#isThere(file, target, signal))) return uri;
      throw storeFailure(error, this.#attempt('write', file.key));
    }
    return uri;
  }

  async openParts(file: NamedFile, signal: AbortSignal): Promise<PartedUpload | string> {
    const target = this.#bucket.file(file.key);
    const uri = `gs://${this.#bucket.name}/${file.key}`;
    if (await this.#isThere(file, target, signal)) return uri;
    const finished = async (): Promise<string> => {
      if (await this.#isThere(file, target, signal)) return uri;
      throw storeFailure(undefined, this.#attempt('write', file.key));
    };
    try {
      return await resumable(target, file, finished);
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('write', file.key));
    }
  }

  /** Throws where another file has its name. */
  async #isThere(file: NamedFile, target: File, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    try {
      const [{ size, metadata }] = await target.getMetadata();
      const { sha256 } = (metadata ?? {}) as { sha256?: string };
      checkSame(file, `gs://${this.#bucket.name}/${file.key}`, { bytes: Number(size), sha256 });
      return true;
    } catch (error) {
      // Writing will say whether file or bucket is missing.
      if (isNotFound(error)) return false;
      throw storeFailure(error, this.#attempt('look for', file.key));
    }
  }

  async signedUrl(key: string, expiresSeconds: number): Promise<string> {
    try {
      const [url] = await this.#bucket.file(key).getSignedUrl({
        version: 'v4',
        action: 'read',
        expires: Date.now() + expiresSeconds * 1000,
        promptSaveAs: key.slice(key.lastIndexOf('/') + 1),
      });
      return url;
    } catch (error) {
      throw storeFailure(error, this.#attempt('sign a URL for', key));
    }
  }

  async read(key: string, signal: AbortSignal, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    signal.throwIfAborted();
    const file = this.#bucket.file(key);
    try {
      // A stream says only while it is read that there is no file.
      await file.getMetadata();
    } catch (error) {
      throw storeFailure(error, this.#attempt('read', key));
    }
    // Of a part there is no checksum to compare with.
    const stream = file.createReadStream({
      ...(range
        ? { start: range.from, end: range.to, validation: false }
        : { validation: 'crc32c' as const }),
    });
    signal.addEventListener('abort', () => stream.destroy(new DOMException('aborted', 'AbortError')), {
      once: true,
    });
    return stream;
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const key = `${this.#prefix}_check`;
    try {
      await this.#bucket.file(key).save('Sonde can write here.\n', { resumable: false });
    } catch (error) {
      throw storeFailure(error, this.#attempt('write', key));
    }
  }

  close(): void {
    // Its connections are not kept open.
  }

  #attempt(verb: Attempt['verb'], key: string): Attempt {
    const place = `gs://${this.#bucket.name}`;
    return { verb, uri: `${place}/${key}`, place, server: this.#server };
  }
}
