// The TraceArtifact and ClusterTraceArtifact: "give me this file of that job". The operator answers with a signed URL that expires. Neighbours:
// operator/artifacts.ts answers, cli/ asks, crds/kinds.ts makes the CRDs; docs/decisions/0008-stores-and-artifacts.md says why there are two.

import { z } from 'zod';
import { nameField, textField } from './fields.ts';
import { timeField } from './status.ts';

export const artifactKinds = ['TraceArtifact', 'ClusterTraceArtifact'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

export const artifactPhases = ['Pending', 'Ready', 'Failed'] as const;

/** A file of a result: no slash, no leading dot. */
export const artifactFile = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const artifactSpecSchema = z
  .strictObject({
    job: z
      .strictObject({
        name: nameField(
          253,
          "The job's name: a TraceJob of the same namespace, or for a ClusterTraceArtifact a ClusterTraceJob.",
        ),
      })
      .describe('Whose result.'),
    file: textField(
      {
        pattern: artifactFile,
        longest: 253,
        message: "a file is named as in the job's status.artifacts: result.json, report.html",
      },
      "The file, as the job's status.artifacts names it.",
    ),
  })
  .describe('Which file is asked for.');

export type ArtifactSpec = z.output<typeof artifactSpecSchema>;

export const artifactStatusSchema = z
  .strictObject({
    phase: z
      .enum(artifactPhases)
      .optional()
      .describe('Ready: the file can be had; Failed: it cannot, see reason.'),
    url: z
      .string()
      .max(8192)
      .optional()
      .describe(
        'A URL that gives the file without further credentials. Absent where the store has none of its own.',
      ),
    path: z
      .string()
      .max(4096)
      .optional()
      .describe('The same as a path on the Service sonde-artifacts, for who cannot reach the store.'),
    namespace: z.string().max(63).optional().describe('Where the Service sonde-artifacts is.'),
    mediaType: z.string().max(127).optional().describe('The media type of the file.'),
    bytes: z.int().min(0).optional().describe('The size of the file.'),
    sha256: z.string().max(64).optional().describe('The digest of the file, in hexadecimal.'),
    expiresAt: timeField('When URL and path stop working. The object is deleted soon after.'),
    reason: z.string().max(63).optional().describe('Why it failed, as one word from a closed list.'),
    message: z.string().max(1024).optional().describe('Why, as a sentence for people.'),
  })
  .describe('Where the file can be had.');

export type ArtifactStatus = z.output<typeof artifactStatusSchema>;
