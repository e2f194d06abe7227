// Azure Blob Storage, by Microsoft's own SDK. Neighbours: operator/stores/open.ts opens it, operator/stores/failure.ts says what went wrong.

import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { StoreSpec } from '../../crds/trace-store.ts';
import { blocks } from './azure-parts.ts';
import { type Attempt, isNotFound, isPreconditionFailed, storeFailure } from './failure.ts';
import {
  type ByteRange,
  checkSame,
  type NamedFile,
  type PartedUpload,
  type Store,
  type StoredFile,
} from './store.ts';

/** Azure allows 50,000 blocks. */
const blockBytes = (bytes: number) => Math.max(8 << 20, Math.ceil(bytes / 45_000));
/** Clocks differ: a signature that begins now may begin in the server's future. */
const clockSkewMs = 5 * 60_000;

export class AzureStore implements Store {
  readonly #service: BlobServiceClient;
  readonly #container: ContainerClient;
  readonly #key: StorageSharedKeyCredential | undefined;
  readonly #prefix: string;

  /** The account's key, or without one the SDK's default chain: workload identity. */
  constructor(
    spec: NonNullable<StoreSpec['azure']>,
    prefix: string,
    identity: string | TokenCredential = new DefaultAzureCredential(),
  ) {
    const { account, container, endpoint } = spec;
    const url =
      endpoint === undefined ? `https://${account}.blob.core.windows.net` : `${endpoint}/${account}`;
    this.#key = typeof identity === 'string' ? new StorageSharedKeyCredential(account, identity) : undefined;
    const credential = typeof identity === 'string' ? this.#key : identity;
    this.#service = new BlobServiceClient(url, credential, {
      retryOptions: { maxTries: 3, tryTimeoutInMs: 60_000, retryDelayInMs: 500, maxRetryDelayInMs: 4_000 },
    });
    this.#container = this.#service.getContainerClient(container);
    this.#prefix = prefix;
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<string> {
    const blob = this.#container.getBlockBlobClient(file.key);
    const uri = plainUrl(blob.url);
    if (await this.#isThere(file, blob, signal)) return uri;
    try {
      await blob.uploadFile(file.path, {
        blockSize: blockBytes(file.bytes),
        maxSingleShotSize: blockBytes(file.bytes),
        concurrency: 2,
        blobHTTPHeaders: { blobContentType: file.mediaType, blobContentDisposition: 'attachment' },
        metadata: { sha256: file.sha256 },
        conditions: { ifNoneMatch: '*' },
        abortSignal: signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (isPreconditionFailed(error) && (await this.#isThere(file, blob, signal))) return uri;
      throw storeFailure(error, this.#attempt('write', file.key));
    }
    return uri;
  }

  async openParts(file: NamedFile, signal: AbortSignal): Promise<PartedUpload | string> {
    const blob = this.#container.getBlockBlobClient(file.key);
    if (await this.#isThere(file, blob, signal)) return plainUrl(blob.url);
    const finished = async (error: unknown): Promise<string> => {
      if (await this.#isThere(file, blob, signal)) return plainUrl(blob.url);
      throw storeFailure(error, this.#attempt('write', file.key));
    };
    const sign = (seconds: number) => this.#sign(blob, 'w', seconds);
    try {
      return await blocks({ blob, blockBytes: blockBytes(file.bytes), sign }, file, finished);
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('write', file.key));
    }
  }

  /** Throws where another file has its name. */
  async #isThere(file: NamedFile, blob: BlockBlobClient, signal: AbortSignal): Promise<boolean> {
    try {
      const { contentLength = 0, metadata } = await blob.getProperties({ abortSignal: signal });
      checkSame(file, plainUrl(blob.url), { bytes: contentLength, sha256: metadata?.sha256 });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (isNotFound(error)) return false;
      throw storeFailure(error, this.#attempt('look for', file.key));
    }
  }

  async signedUrl(key: string, expiresSeconds: number): Promise<string> {
    const blob = this.#container.getBlockBlobClient(key);
    try {
      return await this.#sign(blob, 'r', expiresSeconds);
    } catch (error) {
      throw storeFailure(error, this.#attempt('sign a URL for', key));
    }
  }

  async #sign(blob: BlockBlobClient, may: 'r' | 'w', expiresSeconds: number): Promise<string> {
    const startsOn = new Date(Date.now() - clockSkewMs);
    const expiresOn = new Date(Date.now() + expiresSeconds * 1000);
    const permissions = BlobSASPermissions.parse(may);
    const protocol = blob.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp;
    if (this.#key !== undefined)
      return await blob.generateSasUrl({ permissions, startsOn, expiresOn, protocol });
    const delegation = await this.#service.getUserDelegationKey(startsOn, expiresOn);
    const { containerName, name: blobName } = blob;
    const values = { containerName, blobName, permissions, startsOn, expiresOn, protocol };
    return `${blob.url}?${generateBlobSASQueryParameters(values, delegation, this.#service.accountName)}`;
  }

  async read(key: string, signal: AbortSignal, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const blob = this.#container.getBlockBlobClient(key);
    try {
      const { from = 0, to } = range ?? {};
      const count = to === undefined ? undefined : to - from + 1;
      const { readableStreamBody } = await blob.download(from, count, { abortSignal: signal });
      return readableStreamBody as unknown as AsyncIterable<Uint8Array>;
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('read', key));
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const key = `${this.#prefix}_check`;
    const text = 'Sonde can write here.\n';
    try {
      await this.#container.getBlockBlobClient(key).upload(text, text.length, { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      throw storeFailure(error, this.#attempt('write', key));
    }
  }

  close(): void {
    // Its connections are not kept open.
  }

  #attempt(verb: Attempt['verb'], key: string): Attempt {
    const place = plainUrl(this.#container.url);
    return { verb, uri: `${place}/${key}`, place, server: new URL(place).origin };
  }
}

/** Without what may be a signature, and readable: the SDK writes slashes as %2F. */
function plainUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replaceAll('%2F', '/')}`;
}
