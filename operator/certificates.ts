// The installation's certificates in two Secrets, made and renewed by whichever replica comes first, read by all: an authority, the operator's client
// certificate and the artifact server's in one, the agents' in the other. Or cert-manager's, which are only read. Neighbours: operator/renewal.ts (what
// is due), operator/authority.ts (makes it), agent/certificates.ts (the agents' end), operator/main.ts.

import { X509Certificate } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { CoreV1Api, type KubeConfig, type V1Secret } from '@kubernetes/client-node';
import { agentName, operatorCredentials } from '../agent/client.ts';
import { namesUri, operatorUri } from '../agent/door.ts';
import { type KeyPair, makeAuthority, type Subject, signCertificate } from './authority.ts';
import type { Log } from './hands.ts';
import { httpStatus } from './kubernetes.ts';
import {
  artifactsFiles,
  authorityFiles,
  bundle,
  certificatesToRenew,
  type Files,
  type Names,
  nextFiles,
  ownFiles,
  pairTrouble,
  type Step,
  trustedBy,
} from './renewal.ts';

export const operatorSecret = 'sonde-operator-tls';
export const agentSecret = 'sonde-agent-tls';
export const artifactsService = 'sonde-artifacts';

const lookMs = 60_000;
const retryMs = 2_000;

export interface Certificates {
  /** For connections to agents that are made from now on. */
  agentCredentials(): ChannelCredentials;
  artifactServer(): { cert: string; key: string; ca: string };
  /** Told after each renewal that this process has taken. */
  onChange(listener: () => void): void;
  close(): void;
}

export interface HeldSecret {
  files: Files;
  /** What the API server gave: a write of it fails where another came first. */
  object?: V1Secret;
}

/** What certificates need of an API server. */
export interface Secrets {
  read(name: string): Promise<HeldSecret | undefined>;
  /** False where another write came first. `before` undefined: there was none. */
  write(name: string, files: Files, before: HeldSecret | undefined): Promise<boolean>;
}

export interface CertificatesOptions {
  log: Log;
  signal: AbortSignal;
  /** Another makes the Secrets (cert-manager): they are read, never written. */
  given?: boolean;
}

/** Resolves when there are certificates to work with; then looks after them until closed. */
export async function ensureCertificates(
  kubeConfig: KubeConfig,
  namespace: string,
  options: CertificatesOptions,
): Promise<Certificates> {
  const clock: CertificatesClock = {
    now: Date.now,
    pause: (ms, until) => pause(ms, undefined, { signal: until, ref: false }),
  };
  return keepCertificates(secretsOf(kubeConfig, namespace), namespace, { ...options, clock });
}

export interface CertificatesClock {
  now(): number;
  /** Throws when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** The same on any Secrets, by any clock. */
export async function keepCertificates(
  secrets: Secrets,
  namespace: string,
  options: CertificatesOptions & { clock: CertificatesClock },
): Promise<Certificates> {
  const { log, signal, clock, given = false } = options;
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const listeners = new Set<() => void>();
  const look = async (): Promise<Files> => {
    if (!given) return renewAll(secrets, namespace, clock.now(), log);
    const files = (await secrets.read(operatorSecret))?.files;
    if (files === undefined)
      throw new Error(`there is no Secret ${operatorSecret}: has cert-manager signed its Certificate?`);
    const trouble = givenTrouble(files, clock.now());
    if (trouble !== undefined) throw new Error(`Secret ${operatorSecret}: ${trouble}`);
    return files;
  };

  let files: Files | undefined;
  while (files === undefined) {
    files = await look().catch(async (error: unknown) => {
      log.warn({ error: String(error) }, 'no certificates yet');
      await clock.pause(retryMs, until);
      return undefined;
    });
  }
  let used = files;
  let credentials = credentialsOf(used);

  const watch = async (): Promise<void> => {
    while (!until.aborted) {
      await clock.pause(lookMs, until);
      try {
        const found = await look();
        if (JSON.stringify(found) === JSON.stringify(used)) continue;
        credentials = credentialsOf(found);
        used = found;
        log.info({}, 'certificates were renewed');
        for (const listener of listeners) listener();
      } catch (error) {
        log.warn({ error: String(error) }, 'certificates could not be looked after; trying again');
      }
    }
  };
  void watch().catch(() => undefined);

  return {
    agentCredentials: () => credentials,
    artifactServer: () => artifactServerOf(used),
    onChange: (listener) => void listeners.add(listener),
    close: () => ending.abort(),
  };
}

function credentialsOf(files: Files): ChannelCredentials {
  return operatorCredentials({
    ca: files['ca.crt'] ?? '',
    certificate: files[ownFiles.certificate] ?? '',
    key: files[ownFiles.key] ?? '',
  });
}

/** cert-manager's one certificate serves both ends. */
function artifactServerOf(files: Files): { cert: string; key: string; ca: string } {
  const at = artifactsFiles.certificate in files ? artifactsFiles : ownFiles;
  return { cert: files[at.certificate] ?? '', key: files[at.key] ?? '', ca: files['ca.crt'] ?? '' };
}

function givenTrouble(files: Files, now: number): string | undefined {
  if (files['ca.crt'] === undefined) return 'it has no ca.crt: use an issuer that gives its authority';
  const trouble = pairTrouble(files, ownFiles, now);
  if (trouble !== undefined) return `its certificate ${trouble}`;
  const names = new X509Certificate(files[ownFiles.certificate] ?? '').subjectAltName ?? '';
  if (!namesUri(names, operatorUri))
    return `its certificate lacks the URI ${operatorUri}: agents would turn it away`;
  return undefined;
}

/** Steps until nothing is due; gives the operator's files. Throws what the API server says. */
async function renewAll(secrets: Secrets, namespace: string, now: number, log: Log): Promise<Files> {
  const subjects = subjectsOf(namespace);
  const names = namesOf(subjects);
  // Each write that another replica was faster with is decided anew.
  for (let attempt = 0; attempt < 20; attempt++) {
    const [operator, agent] = await Promise.all([secrets.read(operatorSecret), secrets.read(agentSecret)]);
    const due = certificatesToRenew({ operator: operator?.files, agent: agent?.files }, names, now);
    if (due === undefined && operator !== undefined) return operator.files;
    if (due === undefined) continue;
    const isAgents = due.step === 'AgentCertificate';
    const files = await made(due.step, operator?.files ?? {}, subjects, now);
    const written = isAgents
      ? await secrets.write(agentSecret, files, agent)
      : await secrets.write(operatorSecret, files, operator);
    if (written) log.info({ step: due.step, why: due.why }, 'certificates are made');
  }
  throw new Error('the Secrets of certificates change faster than they can be read');
}

/** A Secret's files after a step. */
async function made(step: Step, operator: Files, subjects: Subjects, now: number): Promise<Files> {
  const current = pairAt(operator, authorityFiles);
  if (step === 'AgentCertificate') {
    const own = await signCertificate(current, subjects.agent, now);
    return { 'ca.crt': operator['ca.crt'] ?? '', ...filesAt(ownFiles, own) };
  }
  if (step === 'NextAuthority') {
    const next = await makeAuthority(now);
    return {
      ...operator,
      ...filesAt(nextFiles, next),
      'ca.crt': bundle([operator['ca.crt'], next.certificate], now),
    };
  }
  if (step === 'OperatorCertificates') {
    const next = pairAt(operator, nextFiles);
    const pending = next.certificate === '' ? {} : filesAt(nextFiles, next);
    return { ...(await operatorFiles(current, trustedBy(operator, now), subjects, now)), ...pending };
  }
  const authority = step === 'Succession' ? pairAt(operator, nextFiles) : await makeAuthority(now);
  // The former one stays trusted until it ends.
  const trusted = bundle([authority.certificate, operator['ca.crt']], now);
  return operatorFiles(authority, trusted, subjects, now);
}

async function operatorFiles(
  authority: KeyPair,
  trusted: string,
  subjects: Subjects,
  now: number,
): Promise<Files> {
  const own = await signCertificate(authority, subjects.operator, now);
  const artifacts = await signCertificate(authority, subjects.artifacts, now);
  return {
    'ca.crt': trusted,
    ...filesAt(authorityFiles, authority),
    ...filesAt(ownFiles, own),
    ...filesAt(artifactsFiles, artifacts),
  };
}

type At = { certificate: string; key: string };

function filesAt(at: At, { certificate, key }: KeyPair): Files {
  return { [at.certificate]: certificate, [at.key]: key };
}

function pairAt(files: Files, at: At): KeyPair {
  return { certificate: files[at.certificate] ?? '', key: files[at.key] ?? '' };
}

type Subjects = Record<keyof Names, Subject>;

function subjectsOf(namespace: string): Subjects {
  const service = `${artifactsService}.${namespace}`;
  const dns = [artifactsService, service, `${service}.svc`, `${service}.svc.cluster.local`];
  return {
    agent: { commonName: 'sonde agent', names: [{ type: 'dns', value: agentName }], for: 'Server' },
    operator: { commonName: 'sonde operator', names: [{ type: 'url', value: operatorUri }], for: 'Client' },
    artifacts: {
      commonName: artifactsService,
      names: dns.map((value) => ({ type: 'dns', value })),
      for: 'Server',
    },
  };
}

/** As Node writes them. */
export function namesOf(subjects: Readonly<Record<keyof Names, Pick<Subject, 'names'>>>): Names {
  const written = ({ names }: Pick<Subject, 'names'>) =>
    names.map(({ type, value }) => `${type === 'dns' ? 'DNS' : 'URI'}:${value}`);
  return {
    agent: written(subjects.agent),
    operator: written(subjects.operator),
    artifacts: written(subjects.artifacts),
  };
}

/** The Secrets of a namespace. */
export function secretsOf(kubeConfig: KubeConfig, namespace: string): Secrets {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  return {
    async read(name) {
      try {
        const object = await api.readNamespacedSecret({ namespace, name });
        const files = Object.entries(object.data ?? {}).map(
          ([file, text]) => [file, Buffer.from(text, 'base64').toString('utf8')] as const,
        );
        return { files: Object.fromEntries(files), object };
      } catch (error) {
        if (httpStatus(error) === 404) return undefined;
        throw error;
      }
    },
    async write(name, files, before) {
      const data = Object.fromEntries(
        Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')]),
      );
      const metadata = before?.object?.metadata ?? {
        name,
        namespace,
        labels: { 'app.kubernetes.io/part-of': 'sonde', 'app.kubernetes.io/managed-by': 'sonde-operator' },
      };
      const type = before?.object?.type ?? 'kubernetes.io/tls';
      const body: V1Secret = { metadata, type, data };
      try {
        if (before === undefined) await api.createNamespacedSecret({ namespace, body });
        else await api.replaceNamespacedSecret({ namespace, name, body });
        return true;
      } catch (error) {
        if (httpStatus(error) === 409 || httpStatus(error) === 404) return false;
        throw error;
      }
    },
  };
}
