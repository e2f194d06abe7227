// The TraceStore and ClusterTraceStore: where results go. Neighbours: operator/stores/open.ts opens one, operator/stores/status.ts says whether it
// can be written to, crds/kinds.ts makes the CRDs.

import { z } from 'zod';
import { exactlyOne, nameField, textField } from './fields.ts';
import { conditionsField, observedField } from './status.ts';

export const storeKinds = ['TraceStore', 'ClusterTraceStore'] as const;
export type StoreKind = (typeof storeKinds)[number];

const secret = (keys: string, chain: string) =>
  z
    .strictObject({ name: nameField(253, 'The name of the Secret.') })
    .optional()
    .describe(
      `The Secret with ${keys}: of the same namespace, for a ClusterTraceStore of the operator's. Absent: ${chain}, in a ClusterTraceStore only.`,
    );

const prefix = textField(
  {
    // No part begins with a dot, so that none can be "..".
    pattern: /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
    longest: 255,
    message:
      'a prefix is a path like traces/blue: letters, digits, dots, dashes and underscores between slashes, none at either end',
  },
  'What the names of all files begin with, as a path: traces/blue.',
).optional();

/** Scheme, host and port alone: no credentials can hide in it, and no query can be smuggled into a request. */
const endpoint = (description: string) =>
  textField(
    {
      pattern: /^https?:\/\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$/,
      longest: 255,
      message: 'an endpoint is a scheme, a host and perhaps a port: https://storage.internal:9000',
    },
    description,
  ).optional();

const bucket = (description: string) =>
  textField(
    {
      pattern: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
      longest: 222,
      message: 'a bucket has small letters, digits, dots, dashes and underscores, and at least three of them',
    },
    description,
  );

const filesystem = z
  .strictObject({})
  .optional()
  .describe("A volume of the operator's: for one replica, and as safe as the volume.");

const s3 = z
  .strictObject({
    bucket: bucket('The bucket. It must exist.'),
    region: textField(
      { pattern: /^[a-z0-9-]+$/, longest: 63, message: 'a region is written like eu-central-1' },
      "The bucket's region. Absent: the operator's own, else us-east-1.",
    ).optional(),
    endpoint: endpoint("The server, where it is not Amazon's: https://minio.internal:9000."),
    prefix,
    forcePathStyle: z
      .boolean()
      .default(false)
      .describe(
        "The bucket's name stands in the path, not in the host: for most servers that are not Amazon's.",
      ),
    credentialsSecret: secret(
      'accessKeyId, secretAccessKey and perhaps sessionToken',
      "the operator's own identity (IRSA, pod identity, instance profile)",
    ),
  })
  .optional()
  .describe('A bucket of Amazon S3, or of a server that speaks its protocol.');

const gcs = z
  .strictObject({
    bucket: bucket('The bucket. It must exist.'),
    prefix,
    endpoint: endpoint("The server, where it is not Google's."),
    credentialsSecret: secret(
      "key.json (a service account's key)",
      "the operator's own identity (workload identity)",
    ),
  })
  .optional()
  .describe('A bucket of Google Cloud Storage.');

const azure = z
  .strictObject({
    account: textField(
      {
        pattern: /^[a-z0-9]{3,24}$/,
        longest: 24,
        message: 'an account has 3 to 24 small letters and digits',
      },
      'The storage account.',
    ),
    container: textField(
      {
        pattern: /^[a-z0-9](-?[a-z0-9]){2,62}$/,
        longest: 63,
        message: 'a container has 3 to 63 small letters, digits and single dashes',
      },
      'The container. It must exist.',
    ),
    endpoint: endpoint(
      "The server, where it is not Azure's own; the account's name then stands in the path.",
    ),
    prefix,
    credentialsSecret: secret('accountKey', "the operator's own identity (workload identity)"),
  })
  .optional()
  .describe('A container of Azure Blob Storage.');

/** The kinds of store that ask for credentials. */
export const remoteStores = ['s3', 'gcs', 'azure'] as const;

export const ownCredentials =
  "a TraceStore brings credentials of its own; name their Secret here, or ask for a ClusterTraceStore: only that may use the operator's identity";

const place = exactlyOne(
  { filesystem, s3, gcs, azure },
  {
    one: 'kind of store',
    several: 'a store is exactly one: write a store for each',
    example: '{s3: {bucket: traces}}',
    description: 'Where results go: exactly one of filesystem, s3, gcs and azure.',
  },
);

export type StoreSpec = z.output<typeof place>;

/** A namespace's own store may not use the operator's identity: whoever may write a TraceStore would act as the operator. */
export function storeSpecSchema(kind: StoreKind) {
  if (kind === 'ClusterTraceStore') return place;
  return place.superRefine((spec, context) => {
    for (const member of remoteStores) {
      if (spec[member] === undefined || spec[member].credentialsSecret !== undefined) continue;
      context.addIssue({ code: 'custom', path: [member, 'credentialsSecret'], message: ownCredentials });
    }
  });
}

export const storeStatusSchema = z
  .strictObject({
    observedGeneration: observedField(),
    conditions: conditionsField(
      'What holds of the store: Ready says whether the operator can write to it, and if not, why.',
    ),
  })
  .describe('Whether the store can be written to.');

export type StoreStatus = z.output<typeof storeStatusSchema>;
