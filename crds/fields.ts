// The kinds of field that several custom resources share: durations, quantities, names, label selectors. Neighbours: crds/trace-job.ts
// puts them together, crds/manifest.ts turns their metadata into the CRD's schema.

import { z } from 'zod';
import { type Duration, durationPattern, formatSeconds, parseDuration } from './duration.ts';
import { parseQuantity, type Quantity, quantityPattern } from './quantity.ts';

/** A duration between two whole numbers of seconds, both included. In YAML a string with a unit. */
export function durationField(limits: { minSeconds: number; maxSeconds: number }, description: string) {
  const [least, most] = [formatSeconds(limits.minSeconds), formatSeconds(limits.maxSeconds)];
  return z
    .unknown()
    .transform((input, context): Duration => {
      const duration = parseDuration(input);
      if ('wrong' in duration) {
        context.addIssue({ code: 'custom', message: duration.wrong, continue: false });
        return z.NEVER;
      }
      const { text, nanoseconds } = duration;
      const inside =
        nanoseconds >= BigInt(limits.minSeconds) * 1_000_000_000n &&
        nanoseconds <= BigInt(limits.maxSeconds) * 1_000_000_000n;
      if (!inside) {
        const message = `${text} is outside the limits ${least}…${most}`;
        context.addIssue({ code: 'custom', message, continue: false });
        return z.NEVER;
      }
      return duration;
    })
    .meta({
      description,
      type: 'string',
      maxLength: 64,
      pattern: durationPattern,
      'x-kubernetes-validations': [
        {
          rule: `duration(self) >= duration('${limits.minSeconds}s') && duration(self) <= duration('${limits.maxSeconds}s')`,
          message: `must lie within ${least} and ${most}`,
        },
      ],
    });
}

/** A quantity above zero. In YAML a number or a string with a suffix. */
export function quantityField(description: string, options: { atMost?: string; example: string }) {
  const most = options.atMost === undefined ? undefined : parseQuantity(options.atMost);
  return z
    .unknown()
    .transform((input, context): Quantity => {
      const quantity = parseQuantity(input);
      const wrong = 'wrong' in quantity ? quantity.wrong : outside(quantity, most, options);
      if ('wrong' in quantity || wrong !== undefined) {
        context.addIssue({ code: 'custom', message: wrong ?? '', continue: false });
        return z.NEVER;
      }
      return quantity;
    })
    .meta({
      description,
      pattern: quantityPattern,
      'x-kubernetes-int-or-string': true,
    });
}

function outside(
  quantity: Quantity,
  most: ReturnType<typeof parseQuantity> | undefined,
  options: { atMost?: string; example: string },
): string | undefined {
  if (quantity.nano === 0n)
    return `0 leaves no budget at all; write one like ${options.example}, or leave it out`;
  if (most && 'nano' in most && quantity.nano > most.nano) {
    return `${quantity.text} is above the limit ${options.atMost}`;
  }
  return undefined;
}

/** RFC 1123, as Kubernetes names objects. `longest`: 63 for labels, 253 for subdomains. */
export function nameField(longest: 63 | 253, description: string) {
  const pattern =
    longest === 63
      ? /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
      : /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  const message = `a name has small letters, digits${longest === 253 ? ', dots' : ''} and dashes, and begins and ends with a letter or digit`;
  return z.string().min(1).max(longest).regex(pattern, message).describe(description);
}

const expression = z.strictObject({
  key: z.string().min(1).max(317).describe('The label that is looked at.'),
  operator: z
    .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
    .describe('How the label relates to the values: In, NotIn, Exists or DoesNotExist.'),
  values: z
    .array(z.string().max(63))
    .max(100)
    .optional()
    .describe('The values that In and NotIn compare with; absent for Exists and DoesNotExist.'),
});

/** A label selector as Kubernetes has it: all of its terms must hold; an empty one takes everything. */
export function selectorField(description: string) {
  return z
    .strictObject({
      matchLabels: z
        .record(z.string().max(317), z.string().max(63))
        .optional()
        .describe('Labels that must be there with exactly these values.'),
      matchExpressions: z
        .array(expression)
        .max(50)
        .optional()
        .describe('Terms about labels, all of which must hold.'),
    })
    .describe(description);
}

export type Selector = z.output<ReturnType<typeof selectorField>>;
