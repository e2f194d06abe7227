// A folder as a store: the operator's own volume. Files appear whole, under their name only after fsync. Neighbours: operator/stores/open.ts opens it,
// operator/artifacts-server.ts serves what is in it.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { type Attempt, storeFailure } from './failure.ts';
import { type ByteRange, checkSame, type Store, type StoredFile, StoreError } from './store.ts';

export class FilesystemStore implements Store {
  readonly #root: string;

  constructor(root: string) {
    this.#root = resolve(root);
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<string> {
    const path = this.#pathOf(file.key);
    const uri = pathToFileURL(path).href;
    if (await isThere(path, file, signal)) return uri;
    // The draft's name begins with a dot, which no artifact's does.
    const draft = join(dirname(path), `.${crypto.randomUUID()}`);
    try {
      const made = await mkdir(dirname(path), { recursive: true });
      await copyFile(file.path, draft);
      signal.throwIfAborted();
      await sync(draft);
      if (!(await takeName(draft, path)) && (await isThere(path, file, signal))) return uri;
      await this.#syncFolders(dirname(path), made);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, 'write', file.key, this.#root);
    } finally {
      await rm(draft, { force: true });
    }
    return uri;
  }

  /** The volume is the operator's: what agents have comes through it. */
  async openParts(): Promise<null> {
    return null;
  }

  /** operator/artifacts-server.ts gives it a path of its own. */
  async signedUrl(key: string): Promise<null> {
    const path = this.#pathOf(key);
    await stat(path).catch((error: unknown) => {
      throw failure(error, 'read', key, this.#root);
    });
    return null;
  }

  async read(key: string, signal: AbortSignal, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const path = this.#pathOf(key);
    try {
      const handle = await open(path, 'r');
      return handle.createReadStream({ signal, ...(range && { start: range.from, end: range.to }) });
    } catch (error) {
      throw failure(error, 'read', key, this.#root);
    }
  }

  async check(): Promise<void> {
    const probe = join(this.#root, `.${crypto.randomUUID()}`);
    try {
      await mkdir(this.#root, { recursive: true });
      const handle = await open(probe, 'wx');
      await handle.writeFile('Sonde can write here.\n').finally(() => handle.close());
    } catch (error) {
      throw failure(error, 'write', this.#root, this.#root);
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  }

  close(): void {
    // Nothing is held open.
  }

  /** Never outside the root, whatever the key. */
  #pathOf(key: string): string {
    const parts = key.split('/');
    const wrong = parts.some((part) => part === '' || part.startsWith('.') || /[\\\0]/.test(part));
    const path = join(this.#root, ...parts);
    if (wrong || !path.startsWith(this.#root + sep))
      throw new StoreError('StoreInvalid', 'a key is names between slashes, none of which begins with a dot');
    return path;
  }

  /** A name is durable when its folder is; so are the folders that were made for it. */
  async #syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
    const last = firstMade === undefined ? folder : dirname(firstMade);
    for (let here = folder; here.startsWith(this.#root); here = dirname(here)) {
      await sync(here);
      if (here === last) return;
    }
  }
}

/** Throws where another file has its name. */
async function isThere(path: string, file: StoredFile, signal: AbortSignal): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return false;
  checkSame(file, file.key, { bytes: there.size, sha256: await digestOf(path, signal) });
  return true;
}

/** False where the name is taken: a link, unlike a rename, does not take it away. */
async function takeName(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Volumes without hard links. Only one operator writes to a volume.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) throw error;
    await rename(draft, path);
  }
  return true;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

function failure(error: unknown, verb: Attempt['verb'], key: string, root: string): StoreError {
  const attempt: Attempt = { verb, uri: key, place: root, server: "the operator's volume" };
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return storeFailure(Object.assign(new Error(), { status: 404 }), attempt);
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    const message = `can't ${verb} ${key}: the operator's volume is read-only or belongs to another user (${code}); check the volume and its fsGroup`;
    return new StoreError('StoreDenied', message, { cause: error });
  }
  return storeFailure(error, attempt);
}
