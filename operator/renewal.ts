// Which certificate must be made next, from the two Secrets and the time: pure, a chain of checks of which the first that has something to say says it.
// Each step writes one Secret whole, so that it may fail, or be done by another replica, at any point. Neighbours: operator/certificates.ts (does it).

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lifetimes } from './authority.ts';

/** A Secret's files: their names and texts. */
export type Files = Readonly<Record<string, string>>;

export interface Found {
  /** Undefined: there is no such Secret. */
  operator: Files | undefined;
  agent: Files | undefined;
}

export type Step =
  /** Nobody can sign: an authority is made, and everything with it. */
  | 'NewAuthority'
  /** The authority ends in the foreseeable future: another is made, and trusted beside it. */
  | 'NextAuthority'
  /** Everybody trusts the next authority by now: it signs from now on. */
  | 'Succession'
  | 'OperatorCertificates'
  | 'AgentCertificate';

export interface Renewal {
  step: Step;
  why: string;
}

/** Files of the operator's Secret, besides ca.crt, tls.crt and tls.key. */
export const authorityFiles = { certificate: 'authority.crt', key: 'authority.key' } as const;
export const nextFiles = { certificate: 'next-authority.crt', key: 'next-authority.key' } as const;
export const artifactsFiles = { certificate: 'artifacts.crt', key: 'artifacts.key' } as const;
export const ownFiles = { certificate: 'tls.crt', key: 'tls.key' } as const;

/** After so long every agent and replica has read what a Secret says: kubelets take two minutes at most, readers one. */
export const propagationMs = 3_600_000;

/** What is renewed has a third of its life left. */
const left = 1 / 3;

interface State {
  operator: Files;
  authority: X509Certificate;
  agent: Files | undefined;
  names: Names;
  now: number;
}

/** The names that certificates must have, as Node writes them. */
export interface Names {
  agent: readonly string[];
  operator: readonly string[];
  artifacts: readonly string[];
}

type Check = (state: State) => Renewal | undefined;

const checks: Check[] = [succession, nextAuthority, operatorCertificates, agentCertificate];

/** What comes first; undefined: nothing is due. */
export function certificatesToRenew(
  { operator, agent }: Found,
  names: Names,
  now: number,
): Renewal | undefined {
  if (operator === undefined) return { step: 'NewAuthority', why: 'there is none' };
  const trouble = pairTrouble(operator, authorityFiles, now);
  const authority = read(operator[authorityFiles.certificate]);
  if (trouble !== undefined || authority === undefined)
    return { step: 'NewAuthority', why: `the authority ${trouble}` };
  for (const check of checks) {
    const found = check({ operator, authority, agent, names, now });
    if (found) return found;
  }
  return undefined;
}

/** The agents' certificate is made anew whenever what they trust changes: its age says how long they have trusted it. */
function succession({ operator, agent, now }: State): Renewal | undefined {
  const next = usable(operator, nextFiles, now);
  const agents = agent && read(agent[ownFiles.certificate]);
  if (next === undefined || agents === undefined) return undefined;
  if (agent?.['ca.crt'] !== operator['ca.crt']) return undefined;
  const since = Math.max(startOf(next), startOf(agents));
  if (now - since < propagationMs) return undefined;
  return { step: 'Succession', why: 'the next authority has been trusted for long enough' };
}

function nextAuthority({ operator, authority, now }: State): Renewal | undefined {
  if (usable(operator, nextFiles, now) !== undefined || isFresh(authority, now)) return undefined;
  return { step: 'NextAuthority', why: `the authority ends ${authority.validTo}` };
}

function operatorCertificates({ operator, authority, names, now }: State): Renewal | undefined {
  if (operator['ca.crt'] !== trustedBy(operator, now))
    return { step: 'OperatorCertificates', why: 'the trusted authorities are to be others' };
  const own = leafTrouble(operator, ownFiles, authority, names.operator, now);
  if (own !== undefined)
    return { step: 'OperatorCertificates', why: `the operator's client certificate ${own}` };
  const artifacts = leafTrouble(operator, artifactsFiles, authority, names.artifacts, now);
  if (artifacts === undefined) return undefined;
  return { step: 'OperatorCertificates', why: `the artifact server's certificate ${artifacts}` };
}

function agentCertificate({ operator, agent, authority, names, now }: State): Renewal | undefined {
  if (agent === undefined) return { step: 'AgentCertificate', why: 'there is none' };
  if (agent['ca.crt'] !== operator['ca.crt'])
    return { step: 'AgentCertificate', why: 'agents are to trust other authorities' };
  const trouble = leafTrouble(agent, ownFiles, authority, names.agent, now);
  if (trouble === undefined) return undefined;
  return { step: 'AgentCertificate', why: `the agents' certificate ${trouble}` };
}

function leafTrouble(
  files: Files,
  at: { certificate: string; key: string },
  authority: X509Certificate,
  names: readonly string[],
  now: number,
): string | undefined {
  const trouble = pairTrouble(files, at, now);
  const certificate = read(files[at.certificate]);
  if (trouble !== undefined || certificate === undefined) return trouble;
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    return 'was not signed by the authority';
  if (certificate.subjectAltName !== names.join(', '))
    return `is for ${certificate.subjectAltName}, not ${names.join(', ')}`;
  return isFresh(certificate, now) ? undefined : `ends ${certificate.validTo}`;
}

/** Why a certificate with its key can't be used, as the end of a sentence. */
export function pairTrouble(
  files: Files,
  at: { certificate: string; key: string },
  now: number,
): string | undefined {
  const text = files[at.certificate];
  if (text === undefined) return `is missing (${at.certificate})`;
  const certificate = read(text);
  if (certificate === undefined) return `can't be read (${at.certificate})`;
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(files[at.key] ?? '')))
      return `is not its key's (${at.key})`;
  } catch {
    return `has a key that can't be read (${at.key})`;
  }
  return certificate.validToDate.getTime() > now ? undefined : `ended ${certificate.validTo}`;
}

function usable(
  files: Files,
  at: { certificate: string; key: string },
  now: number,
): X509Certificate | undefined {
  return pairTrouble(files, at, now) === undefined ? read(files[at.certificate]) : undefined;
}

function read(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function startOf(certificate: X509Certificate): number {
  return certificate.validFromDate.getTime() + lifetimes.skew;
}

function isFresh(certificate: X509Certificate, now: number): boolean {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return to - now > (to - from) * left;
}

/** What ca.crt is to be: the authorities that it has, but for those that have ended, and both that sign. */
export function trustedBy(operator: Files, now: number): string {
  const { [authorityFiles.certificate]: authority, [nextFiles.certificate]: next } = operator;
  return bundle([authority, operator['ca.crt'], next], now);
}

/** The certificates of a bundle that have not ended, each once, in order. */
export function bundle(texts: readonly (string | undefined)[], now: number): string {
  const parts = texts.flatMap(
    (text) => text?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
  );
  const alive = parts.filter((part) => (read(part)?.validToDate.getTime() ?? 0) > now);
  return [...new Set(alive)].map((part) => `${part}\n`).join('');
}
