// The kinds of field that several custom resources share: durations, quantities, names, label selectors, unions. Neighbours: crds/trace-job.ts,
// crds/trace-store.ts and crds/trace-artifact.ts put them together, crds/manifest.ts turns their metadata into the CRD's schema.
// What they check is said in zod for our own reader and in CEL for the API server, whose message then says what to write, as a pattern's does not;
// patterns stay for tools that check manifests without CEL.

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
          rule: `self.matches(${celText(durationPattern)}) && duration(self) >= duration('${limits.minSeconds}s') && duration(self) <= duration('${limits.maxSeconds}s')`,
          message: `write a duration between ${least} and ${most}, like 60s or 1m30s`,
        },
      ],
    });
}

/** A quantity above zero. In YAML a number or a string with a suffix. */
export function quantityField(description: string, options: { atMost?: string; example: string }) {
  const most = options.atMost === undefined ? undefined : parseQuantity(options.atMost);
  const upTo =
    options.atMost === undefined
      ? []
      : [`quantity(string(self)).compareTo(quantity('${options.atMost}')) <= 0`];
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
      'x-kubernetes-validations': [
        {
          rule: [
            "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
            ...upTo,
          ].join(' && '),
          message: `write a quantity above 0${options.atMost === undefined ? '' : ` and at most ${options.atMost}`}, like ${options.example}`,
        },
      ],
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
  return textField({ pattern, longest, message }, description);
}

/** Text by a pattern, with a sentence that says what it wants. */
export function textField(form: { pattern: RegExp; longest: number; message: string }, description: string) {
  const rule = `self.matches(${celText(form.pattern.source)})`;
  return z
    .string()
    .min(1)
    .max(form.longest)
    .regex(form.pattern, form.message)
    .meta({ description, 'x-kubernetes-validations': [{ rule, message: form.message }] });
}

/** A text as CEL's literal. */
export function celText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** An object with exactly one of its members given, as Kubernetes has unions. `example` is one that is right. */
export function exactlyOne<Members extends z.ZodRawShape>(
  members: Members,
  words: { one: string; several: string; example: string; description: string },
) {
  const names = Object.keys(members);
  return z
    .strictObject(members)
    .superRefine((value, context) => {
      const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
      if (given.length === 1) return;
      const message =
        given.length === 0
          ? `names no ${words.one}; write one, for example ${words.example}`
          : `names ${given.length} (${given.join(', ')}); ${words.several}`;
      context.addIssue({ code: 'custom', message });
    })
    .meta({
      // Not maxProperties: the API server would say "Too many: must have at most 1 item", and nothing else.
      description: words.description,
      'x-kubernetes-validations': [
        {
          rule: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(given, given).size() == 1`,
          message: `name exactly one ${words.one}, for example ${words.example}; ${words.several}`,
        },
      ],
    });
}

const listing = ['In', 'NotIn'];

const expression = z
  .strictObject({
    key: z.string().min(1).max(317).describe('The label that is looked at.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How the label relates to the values: In, NotIn, Exists or DoesNotExist.'),
    values: z
      .array(z.string().max(63))
      .max(100)
      .optional()
      .describe('The values that In and NotIn compare with; absent for Exists and DoesNotExist.'),
  })
  .superRefine(({ operator, values = [] }, context) => {
    if (listing.includes(operator) === values.length > 0) return;
    const message = listing.includes(operator)
      ? `${operator} compares with nothing; list values: [a, b]`
      : `${operator} compares with no values; leave them out`;
    context.addIssue({ code: 'custom', path: ['values'], message });
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
        message: 'In and NotIn need a list of values; Exists and DoesNotExist have none',
        fieldPath: '.values',
      },
    ],
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
