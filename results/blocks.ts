// A file's bytes through one buffer: for passes over big files, where a stream's fresh buffer for each block would fill the memory until they are
// collected. Neighbours: results/times.ts, results/publish.ts.

import { open } from 'node:fs/promises';

/** Blocks of the file in order. A block is valid until the next is asked for. `keep(n)`: the last n bytes of the block come again at the start of
 *  the next one (an unfinished line); a block that is kept whole grows the buffer. */
export async function* readBlocks(
  path: string,
  size = 1 << 18,
): AsyncGenerator<{ bytes: Buffer; keep(count: number): void }> {
  const file = await open(path, 'r');
  let buffer = Buffer.allocUnsafe(size);
  let kept = 0;
  try {
    for (;;) {
      if (kept === buffer.length) buffer = Buffer.concat([buffer], 2 * buffer.length);
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept);
      if (bytesRead === 0) return;
      const end = kept + bytesRead;
      kept = 0;
      yield {
        bytes: buffer.subarray(0, end),
        keep: (count) => {
          kept = count;
        },
      };
      buffer.copyWithin(0, end - kept, end);
    }
  } finally {
    await file.close();
  }
}
