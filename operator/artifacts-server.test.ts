// The server of signed paths, over HTTPS, from a folder store: what it gives, and what it refuses.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeAuthority } from '../test/support/certificates.ts';
import { type Claims, signedPath } from './artifacts-path.ts';
import { rangeOf, serveArtifacts } from './artifacts-server.ts';
import { never, sample } from './stores/contract.ts';
import { FilesystemStore } from './stores/filesystem.ts';
import { artifactKey } from './stores/store.ts';

const root = mkdtempSync(join(tmpdir(), 'sonde-artifacts-'));
const key = randomBytes(32);
const authority = await makeAuthority();
const sign = async (name: string) => {
  const { certificate: cert, key, ca } = await authority.sign([{ type: 'dns', value: name }]);
  return { cert, key, ca };
};
const certificate = await sign('sonde-artifacts.sonde-system.svc');
let now = 1_000_000;
const warnings: unknown[] = [];
const keep = (fields: unknown) => void warnings.push(fields);
const server = await serveArtifacts({
  port: 0,
  certificate,
  key,
  openStore: async () => ({ store: new FilesystemStore(root), prefix: '' }),
  log: { info: keep, warn: keep, error: keep },
  now: () => now,
  maxConnections: 8,
});
const agent = new Agent({ keepAlive: false });
after(async () => {
  agent.destroy();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const job = { namespace: 'shop', name: 'checkout-cpu', uid: '6f1c2c1e-0b57-4b1c-9a3a-3c1f5a0e9d11' };
const content = randomBytes(300_000);

async function put(file: string, bytes: Buffer): Promise<Claims> {
  await using source = await sample(file, bytes);
  const { sha256 } = source;
  await new FilesystemStore(root).put({ ...source, key: artifactKey('', job, file) }, never);
  const { namespace, name, uid } = job;
  const mediaType = 'text/html';
  return {
    ...{ namespace, job: name, uid, file, store: 'default', mediaType, bytes: bytes.length },
    ...{ sha256, expires: now + 60_000 },
  };
}
const claims = await put('report.html', content);

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const options: RequestOptions = {
    ...{ host: '127.0.0.1', port: server.port, path, method, headers, agent, ca: certificate.ca },
    servername: 'sonde-artifacts.sonde-system.svc',
  };
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

test('a signed path gives the file, to be saved and not shown', async () => {
  const { status, headers, body } = await get(signedPath(key, claims));
  assert.equal(status, 200);
  assert.deepEqual(body, content);
  assert.equal(headers['content-type'], 'application/octet-stream');
  assert.equal(headers['content-disposition'], 'attachment; filename="report.html"');
  assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-length'], '300000');
  assert.equal(headers.etag, `"${createHash('sha256').update(content).digest('hex')}"`);
});

test('HEAD says the same without the bytes', async () => {
  const { status, headers, body } = await get(signedPath(key, claims), {}, 'HEAD');
  assert.deepEqual([status, headers['content-length'], body.length], [200, '300000', 0]);
});

test('a download that broke is taken up where it ended', async () => {
  const path = signedPath(key, claims);
  const rest = await get(path, { range: 'bytes=200000-', 'if-range': `"${claims.sha256}"` });
  assert.equal(rest.status, 206);
  assert.equal(rest.headers['content-range'], 'bytes 200000-299999/300000');
  assert.deepEqual(rest.body, content.subarray(200_000));
  assert.deepEqual((await get(path, { range: 'bytes=-5' })).body, content.subarray(-5));
  assert.deepEqual((await get(path, { range: 'bytes=10-19' })).body, content.subarray(10, 20));
  const other = await get(path, { range: 'bytes=10-19', 'if-range': '"of another file"' });
  assert.deepEqual([other.status, other.body.length], [200, 300_000]);
  const beyond = await get(path, { range: 'bytes=300000-' });
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */300000']);
});

test('ranges are read as RFC 9110 has them', () => {
  assert.deepEqual(rangeOf('bytes=0-0', 10), { from: 0, to: 0 });
  assert.deepEqual(rangeOf('bytes=5-99', 10), { from: 5, to: 9 });
  assert.deepEqual(rangeOf('bytes=-99', 10), { from: 0, to: 9 });
  assert.equal(rangeOf('bytes=-0', 10), 'Unsatisfiable');
  assert.equal(rangeOf('bytes=0-', 0), 'Unsatisfiable');
  for (const none of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'lines=1-2',
    'bytes=a-b',
  ])
    assert.equal(rangeOf(none, 10), undefined, none);
});

test('forged, changed and expired paths get nothing', async () => {
  const path = signedPath(key, claims);
  assert.equal((await get(signedPath(randomBytes(32), claims))).status, 403);
  assert.equal((await get(path.replace('report.html', 'result.json'))).status, 403);
  for (const strange of ['/', '/v1/', '/v1/../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', `${path}/../x`])
    assert.equal((await get(strange)).status, 403, strange);
  assert.equal((await get(path, {}, 'PUT')).status, 405);
  now += 60_000;
  const expired = await get(path);
  now -= 60_000;
  assert.equal(expired.status, 410);
  assert.match(expired.body.toString(), /create a TraceArtifact to get another/);
  assert.equal(expired.headers['content-disposition'], undefined);
});

test("a path that was signed for one namespace gives no other's file", async () => {
  const theirs = await get(signedPath(key, { ...claims, namespace: 'bank' }));
  assert.equal(theirs.status, 404);
});

test('a file that is gone from the store is said to be so', async () => {
  const answer = await get(signedPath(key, { ...claims, file: 'gone.json' }));
  assert.equal(answer.status, 404);
  assert.match(answer.body.toString(), /^can't read shop\/checkout-cpu\/.*gone\.json/);
});

test('an empty file is a file', async () => {
  const empty = await put('empty.jsonl', Buffer.alloc(0));
  const { status, body } = await get(signedPath(key, empty));
  assert.deepEqual([status, body.length], [200, 0]);
});

test('a client that goes away in the middle leaves the server as it was', async () => {
  const path = signedPath(key, claims);
  await new Promise<void>((resolve) => {
    const going = request(
      { host: '127.0.0.1', port: server.port, path, agent, rejectUnauthorized: false },
      (response) => response.once('data', () => going.destroy()).once('close', resolve),
    );
    going.on('error', () => resolve()).end();
  });
  assert.equal((await get(path)).status, 200);
});

test('more connections than it holds are turned away, and the others go on', async () => {
  const idle = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect(server.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve).on('error', resolve));
      return socket;
    }),
  );
  for (const socket of idle) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await get(signedPath(key, claims))).status, 200);
});

test('a certificate is renewed without a restart, and nothing older than TLS 1.3 is spoken', async () => {
  const renewed = await sign('renewed.internal');
  server.useCertificate(renewed);
  const names = await new Promise<string | undefined>((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    }).on('error', reject);
  });
  assert.equal(names, 'DNS:renewed.internal');
  const old = new Promise((_, reject) => {
    connectTls({ host: '127.0.0.1', port: server.port, maxVersion: 'TLSv1.2' }).on('error', reject);
  });
  await assert.rejects(old, /alert protocol version/);
  server.useCertificate(certificate);
});
