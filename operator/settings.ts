// The operator's environment, read and checked. Only operator/main.ts calls this.

import { hostname } from 'node:os';
import { milliseconds, parseDuration } from '../crds/duration.ts';
import { asWhole, parseQuantity } from '../crds/quantity.ts';

export interface Settings {
  namespace: string;
  identity: string;
  scratch: string;
  data: string;
  excluded: ReadonlySet<string>;
  healthPort: number;
  artifactsPort: number;
  agentService: string;
  stopEverything: boolean;
  /** Who makes the Secrets of certificates: this operator, or another (cert-manager). */
  certificates: 'own' | 'given';
  /** Bytes of events above which a node's are a file of its own, not merged. */
  partsAbove: number;
  /** How long results on the operator's own volume are kept, ms; undefined: for ever. */
  retentionMs: number | undefined;
  /** For the chart's hooks: stores to write, as JSON. */
  stores: string;
  logLevel: string;
}

/** Throws TypeError with the variable, its value and what it may be. */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const text = (name: string, otherwise: string) => environment[name] || otherwise;
  const port = (name: string, otherwise: number) => {
    const value = Number(text(name, String(otherwise)));
    if (!Number.isInteger(value) || value < 0 || value > 65_535)
      throw new TypeError(`${name} is ${JSON.stringify(environment[name])}: write a port, 0 to 65535`);
    return value;
  };
  const flag = (name: string) => {
    const value = text(name, 'false');
    if (value !== 'true' && value !== 'false')
      throw new TypeError(`${name} is ${JSON.stringify(value)}: write true or false`);
    return value === 'true';
  };
  const time = (name: string) => {
    if (text(name, '') === '') return undefined;
    const value = parseDuration(text(name, ''));
    if ('wrong' in value) throw new TypeError(`${name}: ${value.wrong}`);
    return milliseconds(value);
  };
  const bytes = (name: string, otherwise: string) => {
    const value = parseQuantity(text(name, otherwise));
    if ('wrong' in value) throw new TypeError(`${name}: ${value.wrong}`);
    return Number(asWhole(value));
  };
  const certificates = text('SONDE_CERTIFICATES', 'own');
  if (certificates !== 'own' && certificates !== 'given')
    throw new TypeError(`SONDE_CERTIFICATES is ${JSON.stringify(certificates)}: write own or given`);
  return {
    namespace: text('SONDE_NAMESPACE', 'sonde-system'),
    identity: text('SONDE_POD_NAME', hostname()),
    scratch: text('SONDE_SCRATCH', '/var/lib/sonde/scratch'),
    data: text('SONDE_DATA', '/var/lib/sonde/data'),
    excluded: new Set(
      text('SONDE_EXCLUDED_NAMESPACES', '')
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    ),
    healthPort: port('SONDE_HEALTH_PORT', 8080),
    artifactsPort: port('SONDE_ARTIFACTS_PORT', 8443),
    agentService: text('SONDE_AGENT_SERVICE', 'sonde-agent'),
    stopEverything: flag('SONDE_STOP_EVERYTHING'),
    certificates,
    retentionMs: time('SONDE_RETENTION'),
    partsAbove: bytes('SONDE_PARTS_ABOVE', '64Mi'),
    stores: text('SONDE_STORES', '[]'),
    logLevel: text('SONDE_LOG_LEVEL', 'info'),
  };
}
