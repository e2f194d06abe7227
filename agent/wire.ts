// The messages of agent.proto: the service, and what its messages are made of. What arrives is checked before it is anybody's; agent/client.ts and
// agent/serve.ts share this, so that either end finds the other's garbage. Neighbours: agent/wire-order.ts (to an agent), agent/wire-report.ts (from one).

import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import type { JobPhase } from './api.ts';
import { type Check, CheckError, flag, members, number, oneOf, text } from './check.ts';
import { descriptor } from './generated/proto.ts';
import { limits } from './limits.ts';

/** No message to an agent may be larger; the largest is an order with its pods. */
export const mostMessageBytes = 4 << 20;
/** Rows of one message of Fetch. */
export const partBytes = 256 << 10;

export function agentService(): ServiceDefinition {
  // The type of this JSON asks for more than its readers do.
  const json = descriptor as Parameters<typeof fromJSON>[0];
  const definition = fromJSON(json, { keepCase: true, longs: String, arrays: true, defaults: true });
  const service = definition['sonde.agent.v1alpha1.Agent'];
  if (service === undefined || 'format' in service) throw new TypeError('agent.proto has no service Agent');
  return service;
}

/** A message as the loader gives it: absent members are null or missing. */
export type Message = object;

export const phases: JobPhase[] = ['Starting', 'Running', 'Collecting', 'Finished', 'Failed'];
export const phase = oneOf(...phases);
/** The folder of a job is named by it. */
export const asUid = text(100, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
/** A file of a run: a name, never a path. */
export const fileName = text(100, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);
export const kubernetesName = text(limits.nameLength);
export const unsigned: Check<bigint> = (value, at) => {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw new CheckError(at, 'an unsigned integer');
  return BigInt(value);
};
export const signed: Check<bigint> = (value, at) => {
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) throw new CheckError(at, 'an integer');
  return BigInt(value);
};
export const amount = number(0, Number.MAX_SAFE_INTEGER);
export const bytes: Check<Uint8Array> = (value, at) => {
  if (!(value instanceof Uint8Array)) throw new CheckError(at, 'bytes');
  return value;
};

/** The loader gives null for messages that are absent, and keeps what it gives for others. */
function present(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return message;
  return Object.fromEntries(Object.entries(message).filter(([, member]) => member !== null));
}

export const whole =
  <T>(check: Check<T>): Check<T> =>
  (value, at) =>
    check(present(value), at);

/** Throws CheckError. */
export function uidFrom(message: unknown): string {
  return whole(members<{ job_uid: string }>({ job_uid: asUid }, {}))(message, '').job_uid;
}

/** Throws CheckError. */
export function stopFrom(message: unknown): { uid: string; discard: boolean } {
  const given = whole(members<{ job_uid: string; discard: boolean }>({ job_uid: asUid, discard: flag }, {}))(
    message,
    '',
  );
  return { uid: given.job_uid, discard: given.discard };
}

/** Throws CheckError. */
export function fetchFrom(message: unknown): { uid: string; from: bigint; file?: string } {
  const given = whole(
    members<{ job_uid: string; from: bigint; file: string }>(
      { job_uid: asUid, from: unsigned, file: (value, at) => (value === '' ? '' : fileName(value, at)) },
      {},
    ),
  )(message, '');
  const { job_uid: uid, from, file } = given;
  return { uid, from, ...(file === '' ? {} : { file }) };
}
