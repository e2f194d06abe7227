import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { putPart } from './upload.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-upload-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file');
writeFileSync(path, '0123456789');

async function answering<T>(
  status: number,
  headers: Record<string, string>,
  use: (url: string, seen: { request: IncomingMessage; body: string }[]) => Promise<T>,
): Promise<T> {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    seen.push({ request, body: (await buffer(request)).toString() });
    response.writeHead(status, headers).end('what a stranger wrote');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await use(`http://127.0.0.1:${port}/key?signature=secret`, seen);
  } finally {
    server.close();
  }
}

test('the bytes of the part go out with its headers and its length, and the answer comes back', async () => {
  await answering(200, { ETag: '"e1"' }, async (url, seen) => {
    const part = { from: 3n, bytes: 4, url, headers: { 'content-range': 'bytes 3-6/10' } };
    assert.deepEqual(await putPart(path, part), { status: 200, etag: '"e1"', message: '' });
    const [{ request, body } = assert.fail()] = seen;
    assert.equal(request.method, 'PUT');
    assert.equal(body, '3456');
    assert.equal(request.headers['content-length'], '4');
    assert.equal(request.headers['content-range'], 'bytes 3-6/10');
    assert.equal(request.headers['transfer-encoding'], undefined);
  });
});

test('a refusal and a redirection are answers: nothing is followed, nothing of their words is passed on', async () => {
  for (const status of [403, 307, 503])
    await answering(status, { Location: 'http://127.0.0.1:1/elsewhere' }, async (url, seen) => {
      const answer = await putPart(path, { from: 0n, bytes: 10, url, headers: {} });
      assert.deepEqual(answer, { status, etag: '', message: '' });
      assert.equal(seen.length, 1);
    });
});

test('no answer has status 0 and a code, and never the signed URL', async () => {
  const server = createTcp((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = await putPart(path, {
    ...{ from: 0n, bytes: 10, url: `http://127.0.0.1:${port}/key?signature=secret`, headers: {} },
  });
  server.close();
  assert.equal(cut.status, 0);
  assert.match(cut.message, /^(ECONNRESET|EPIPE)$/);
  const nobody = await putPart(path, {
    ...{ from: 0n, bytes: 10, url: 'http://127.0.0.1:1/key?signature=secret', headers: {} },
  });
  assert.deepEqual([nobody.status, nobody.message], [0, 'ECONNREFUSED']);
  const wrong = await putPart(path, {
    ...{ from: 0n, bytes: 10, url: 'http://[::x/key?signature=secret', headers: {} },
  });
  assert.equal(wrong.status, 0);
  assert.doesNotMatch(wrong.message, /secret/);
});
