// Certificates through their lives, by clocks of the test's own: over real TLS as agents and the operator speak it, with Secrets as an API server
// keeps them. TLS itself goes by the real time, so that every story ends now.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type Door, openDoor } from '../agent/door.ts';
import { makeAuthority, signCertificate } from './authority.ts';
import {
  agentSecret,
  type Certificates,
  type HeldSecret,
  keepCertificates,
  operatorSecret,
  type Secrets,
} from './certificates.ts';
import { type Files, propagationMs } from './renewal.ts';

const day = 86_400_000;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** As an API server: a write must name the version that it read. `between` runs between a read and the write after it. */
function fakeSecrets(between: () => Promise<void> = async () => undefined) {
  const held = new Map<string, { files: Files; version: number }>();
  const writes: string[] = [];
  const secrets: Secrets = {
    async read(name) {
      const found = held.get(name);
      if (!found) return undefined;
      return { files: { ...found.files }, object: { metadata: { resourceVersion: String(found.version) } } };
    },
    async write(name, files, before) {
      await between();
      const version = held.get(name)?.version;
      if (versionOf(before) !== version) return false;
      held.set(name, { files: { ...files }, version: (version ?? 0) + 1 });
      writes.push(name);
      return true;
    },
  };
  const files = (name: string): Files => held.get(name)?.files ?? {};
  return { secrets, held, writes, files };
}

function versionOf(held: HeldSecret | undefined): number | undefined {
  const version = held?.object?.metadata?.resourceVersion;
  return version === undefined ? undefined : Number(version);
}

/** A clock that stands at `now`; its pauses end when the test says. */
function standing(now: number) {
  const waiting: (() => void)[] = [];
  const pause = (_: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      waiting.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const tick = async (): Promise<void> => {
    await untilTrue(() => waiting.length > 0);
    waiting.shift()?.();
  };
  return { clock: { now: () => now, pause }, tick };
}

/** A process that starts at a time and looks after the Secrets once. */
async function keep(t: TestContext, secrets: Secrets, now: number): Promise<Certificates> {
  const { clock } = standing(now);
  const kept = await keepCertificates(secrets, 'sonde-system', { log: quiet, signal: t.signal, clock });
  t.after(() => kept.close());
  return kept;
}

const asAgent = (files: Files) => ({
  ca: files['ca.crt'] ?? '',
  certificate: files['tls.crt'] ?? '',
  key: files['tls.key'] ?? '',
});

/** The port of an agent that has these files. */
async function openAgent(t: TestContext, files: Files): Promise<Door> {
  const door = await openDoor({
    port: 0,
    host: '127.0.0.1',
    certificates: asAgent(files),
    onGuest: (socket) => socket.end('in'),
    onStranger: () => undefined,
  });
  t.after(() => door.close());
  return door;
}

/** 'in', or why not: a handshake in TLS 1.3 and the agent's answer. */
async function knock(port: number, files: Files, servername = 'agent.sonde.internal'): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    ca: files['ca.crt'],
    cert: files['tls.crt'],
    key: files['tls.key'],
  });
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', (error) => resolve(error.message));
  socket.on('close', () => resolve(said === '' ? 'closed' : said));
  return promise.finally(() => socket.destroy());
}

const nameOf = (pem: string | undefined) =>
  createHash('sha256')
    .update(pem ?? '')
    .digest('hex')
    .slice(0, 8);
const authorities = (files: Files) => files['ca.crt']?.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
const issuer = (files: Files) => new X509Certificate(files['tls.crt'] ?? '').issuer;

test('the first start makes both Secrets, and the operator reaches the agent with them', async (t) => {
  const { secrets, files } = fakeSecrets();
  const kept = await keep(t, secrets, Date.now());
  assert.deepEqual(Object.keys(files(agentSecret)).sort(), ['ca.crt', 'tls.crt', 'tls.key']);
  const own = new X509Certificate(files(operatorSecret)['tls.crt'] ?? '');
  assert.equal(own.subjectAltName, 'URI:spiffe://sonde/operator');
  assert.equal(own.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  const server = new X509Certificate(kept.artifactServer().cert);
  assert.equal(server.checkHost('sonde-artifacts.sonde-system.svc'), 'sonde-artifacts.sonde-system.svc');
  const { port } = await openAgent(t, files(agentSecret));
  assert.equal(await knock(port, files(operatorSecret)), 'in');
});

test('a second start finds what is there and writes nothing', async (t) => {
  const { secrets, writes } = fakeSecrets();
  await keep(t, secrets, Date.now());
  const before = writes.length;
  await keep(t, secrets, Date.now());
  assert.equal(writes.length, before);
});

test('replicas that start at the same time agree on one authority', async (t) => {
  const { secrets, files } = fakeSecrets(() => new Promise((resolve) => setImmediate(resolve)));
  const kept = await Promise.all([1, 2, 3].map(() => keep(t, secrets, Date.now())));
  const seen = new Set(kept.map((each) => JSON.stringify(each.artifactServer())));
  assert.equal(seen.size, 1);
  const { port } = await openAgent(t, files(agentSecret));
  assert.equal(await knock(port, files(operatorSecret)), 'in');
});

test("agents turn away their own kind, a stranger's authority and what has ended; the operator takes no other name", async (t) => {
  const { secrets, files } = fakeSecrets();
  const now = Date.now();
  await keep(t, secrets, now);
  const operator = files(operatorSecret);
  const { port } = await openAgent(t, files(agentSecret));
  assert.notEqual(await knock(port, files(agentSecret)), 'in');
  const subject = {
    commonName: 'x',
    names: [{ type: 'url', value: 'spiffe://sonde/operator' }],
    for: 'Client',
  } as const;
  const signed = async (authority: { certificate: string; key: string }, at: number): Promise<Files> => {
    const { certificate, key } = await signCertificate(authority, subject, at);
    return { 'ca.crt': operator['ca.crt'] ?? '', 'tls.crt': certificate, 'tls.key': key };
  };
  const own = { certificate: operator['authority.crt'] ?? '', key: operator['authority.key'] ?? '' };
  assert.equal(await knock(port, await signed(own, now)), 'in');
  assert.match(await knock(port, await signed(await makeAuthority(now), now)), /unknown ca|closed/i);
  assert.match(await knock(port, await signed(own, now - 40 * day)), /expired|closed/i);
  assert.match(await knock(port, operator, 'other.sonde.internal'), /altnames/);
});

test('certificates are renewed with a third of their lives left, and no sooner', async (t) => {
  const { secrets, files } = fakeSecrets();
  const now = Date.now();
  await keep(t, secrets, now - 20.1 * day);
  const [operator, agent] = [files(operatorSecret), files(agentSecret)];
  await keep(t, secrets, now - day);
  assert.deepEqual([files(operatorSecret), files(agentSecret)], [operator, agent]);
  await keep(t, secrets, now);
  assert.notEqual(nameOf(files(operatorSecret)['tls.crt']), nameOf(operator['tls.crt']));
  assert.notEqual(nameOf(files(agentSecret)['tls.crt']), nameOf(agent['tls.crt']));
  assert.equal(files(operatorSecret)['authority.crt'], operator['authority.crt']);
  // Who has not read the new ones yet is let in all the same, and lets in.
  const { port } = await openAgent(t, agent);
  assert.equal(await knock(port, files(operatorSecret)), 'in');
  const renewed = await openAgent(t, files(agentSecret));
  assert.equal(await knock(renewed.port, operator), 'in');
});

test('an authority gives way to the next without a connection refused, whoever reads late', async (t) => {
  const { secrets, files } = fakeSecrets();
  const now = Date.now();
  // Made so long ago that it has a third of its life left at `now`; its certificates were renewed since.
  await keep(t, secrets, now - 487 * day);
  await keep(t, secrets, now - 10 * day);
  const seen: { operator: Files; agent: Files }[] = [];
  const look = () => seen.push({ operator: files(operatorSecret), agent: files(agentSecret) });
  look();
  const first = issuer(files(agentSecret));
  await keep(t, secrets, now - 2 * propagationMs);
  look();
  assert.equal(authorities(files(operatorSecret)), 2);
  assert.equal(authorities(files(agentSecret)), 2);
  assert.equal(issuer(files(agentSecret)), first, 'the next one is trusted, and does not sign yet');
  await keep(t, secrets, now - 1.5 * propagationMs);
  assert.equal(issuer(files(operatorSecret)), first, 'not everybody trusts it yet');
  await keep(t, secrets, now);
  look();
  assert.notEqual(issuer(files(operatorSecret)), first);
  assert.equal(issuer(files(agentSecret)), issuer(files(operatorSecret)));
  assert.equal(authorities(files(agentSecret)), 2, 'the former one is trusted until it ends');
  assert.ok(!('next-authority.key' in files(operatorSecret)));
  // Readers are one step behind at most: within it everybody reaches everybody.
  for (const [at, { agent }] of seen.entries()) {
    const { port } = await openAgent(t, agent);
    for (const near of [at - 1, at, at + 1]) {
      const operator = seen[near]?.operator;
      if (operator) assert.equal(await knock(port, operator), 'in', `agent at ${at}, operator at ${near}`);
    }
  }
});

test('a running agent takes the next certificates without a restart', async (t) => {
  const { secrets, files } = fakeSecrets();
  const now = Date.now();
  await keep(t, secrets, now - 487 * day);
  await keep(t, secrets, now - 10 * day);
  const door = await openAgent(t, files(agentSecret));
  await keep(t, secrets, now - 2 * propagationMs);
  door.use(asAgent(files(agentSecret)));
  await keep(t, secrets, now);
  assert.equal(await knock(door.port, files(operatorSecret)), 'in');
  door.use(asAgent(files(agentSecret)));
  assert.equal(await knock(door.port, files(operatorSecret)), 'in');
});

test('a trusted authority that has ended is trusted no longer', async (t) => {
  const { secrets, files } = fakeSecrets();
  const start = Date.now() - 900 * day;
  const counts: number[] = [];
  for (const days of [0, 488, 489, 729, 731]) {
    await keep(t, secrets, start + days * day);
    counts.push(authorities(files(agentSecret)));
    assert.equal(files(agentSecret)['ca.crt'], files(operatorSecret)['ca.crt']);
  }
  assert.deepEqual(counts, [1, 2, 2, 2, 1]);
});

test('a Secret that was deleted or spoiled is made anew', async (t) => {
  const { secrets, held, files } = fakeSecrets();
  const now = Date.now();
  await keep(t, secrets, now);
  const spoil = async (name: string, file: string, text: string): Promise<void> => {
    const { version = 0 } = held.get(name) ?? {};
    held.set(name, { files: { ...files(name), [file]: text }, version: version + 1 });
    await keep(t, secrets, now);
    const { port } = await openAgent(t, files(agentSecret));
    assert.equal(await knock(port, files(operatorSecret)), 'in', `${name}: ${file}`);
  };
  const all = [...held.entries()].flatMap(([name, found]) =>
    Object.keys(found.files).map((file) => [name, file] as const),
  );
  for (const [name, file] of all) await spoil(name, file, 'spoiled');
  await spoil(agentSecret, 'tls.key', files(operatorSecret)['tls.key'] ?? '');
  for (const name of [operatorSecret, agentSecret]) {
    held.delete(name);
    await keep(t, secrets, now);
    const { port } = await openAgent(t, files(agentSecret));
    assert.equal(await knock(port, files(operatorSecret)), 'in', `${name} was deleted`);
  }
});

test('a renewal is told of, with the new credentials', async (t) => {
  const { secrets, held } = fakeSecrets();
  const { clock, tick } = standing(Date.now());
  const kept = await keepCertificates(secrets, 'sonde-system', { log: quiet, signal: t.signal, clock });
  t.after(() => kept.close());
  const before = kept.agentCredentials();
  const changed = Promise.withResolvers<void>();
  kept.onChange(changed.resolve);
  held.clear();
  await tick();
  await changed.promise;
  assert.notEqual(kept.agentCredentials(), before);
});

test("cert-manager's Secrets are read and never written; one without the operator's name is waited for", async (t) => {
  const { secrets, held, writes, files } = fakeSecrets();
  const now = Date.now();
  const warned: string[] = [];
  const log = { ...quiet, warn: ({ error }: Record<string, unknown>) => void warned.push(String(error)) };
  const { clock, tick } = standing(now);
  const authority = await makeAuthority(now);
  const give = async (value: string): Promise<void> => {
    const names = [
      { type: 'url', value },
      { type: 'dns', value: 'sonde-artifacts.sonde-system.svc' },
    ] as const;
    const { certificate, key } = await signCertificate(
      authority,
      { commonName: 'x', names, for: 'Client' },
      now,
    );
    held.set(operatorSecret, {
      files: { 'ca.crt': authority.certificate, 'tls.crt': certificate, 'tls.key': key },
      version: 1,
    });
  };
  const starting = keepCertificates(secrets, 'sonde-system', { log, signal: t.signal, clock, given: true });
  await untilTrue(() => warned.length === 1);
  await give('spiffe://sonde/other');
  await tick();
  await untilTrue(() => warned.length === 2);
  await give('spiffe://sonde/operator');
  await tick();
  const kept = await starting;
  t.after(() => kept.close());
  assert.match(warned[0] ?? '', /no Secret sonde-operator-tls/);
  assert.match(warned[1] ?? '', /lacks the URI spiffe:\/\/sonde\/operator/);
  assert.equal(kept.artifactServer().cert, files(operatorSecret)['tls.crt']);
  assert.deepEqual(writes, []);
});

async function untilTrue(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
