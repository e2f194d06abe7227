// The form of result.json, once: it checks files that are read (results/read-result.ts), and docs/result.md and docs/result.schema.json are made
// from it. Neighbours: results/encode/json.ts writes the form. Agents do not import this: they carry no zod.

import { z } from 'zod';
import { rowsFile } from './condensed.ts';
import { apiVersion, eventsFile, packetsFile, schemaVersion } from './encode/json.ts';

const number = z.custom<number | bigint>(
  (value) => typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)),
  'must be an integer',
);
/** Read by parseJson: above 2^53 a bigint already. */
const integer = (description: string) =>
  number.meta({ type: 'integer', description }).transform((value) => BigInt(value));
const text = (description: string) => z.string().describe(description);
const nullable = (description: string) => z.string().nullable().describe(description);
const time = (description: string) =>
  z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    .describe(description);

const owner = z.object({
  node: text('The machine'),
  namespace: nullable("The pod's namespace; null without Kubernetes"),
  pod: nullable("The pod's name"),
  container: nullable('The container, command, cgroup or process tree'),
});

const columnTypes = ['integer', 'text', 'textList', 'boolean', 'time', 'ipAddress'] as const;
const unitNames = ['ns', 'bytes', 'calls', 'samples', 'events', 'switches'] as const;
const column = z.object({
  name: text('The member of a row; its unit is at its end'),
  type: z.enum(columnTypes).describe('How it is read; time is RFC 3339 with nanoseconds'),
  unit: z.enum(unitNames).exactOptional(),
  description: text('What it says'),
  noun: text('What a sentence calls its amounts').exactOptional(),
  sensitive: z
    .enum(['arguments', 'path'])
    .exactOptional()
    .describe('What it may give away: such columns are never in a headline, a summary row or a status'),
  optional: z.boolean().exactOptional().describe('May be null'),
});
const valueColumn = column.extend({
  fold: z.enum(['sum', 'min', 'max']).describe('How values of one key are merged over nodes'),
});

const shape = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('table'),
    keys: z.array(column),
    values: z.array(valueColumn),
    sort: z.string(),
  }),
  z.object({
    kind: z.literal('histogram'),
    keys: z.array(column),
    value: column,
    scale: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('log2') }),
      z.object({ kind: z.literal('linear'), min: z.number(), max: z.number(), step: z.number() }),
    ]),
  }),
  z.object({ kind: z.literal('stacks'), keys: z.array(column), weights: z.array(valueColumn) }),
  z.object({ kind: z.literal('events'), columns: z.array(column) }),
  z.object({ kind: z.literal('packets'), columns: z.array(column) }),
]);

const value = z
  .union([
    z.null(),
    z.boolean(),
    z.number(),
    number.meta({ type: 'integer' }),
    z.string(),
    z.array(z.string()),
  ])
  .describe('By the type of its column');
const row = z.record(z.string(), value);

const bucket = z.object({
  from: integer('Inclusive'),
  to: integer('Exclusive'),
  count: integer('Values in between'),
});
const frame = z.object({
  name: text('The function, demangled; `module+0xoffset` where there is no symbol'),
  kind: z.enum(['user', 'kernel', 'jit', 'inlined']),
  module: text('The file it was mapped from').exactOptional(),
  file: text('Source file').exactOptional(),
  line: z.int().exactOptional().describe('Source line'),
});

export const dataSchemas = {
  table: z.object({ rows: z.array(row) }).describe('Tables: every row, a member for each column of `shape`'),
  histogram: z
    .object({
      rows: z.array(
        z
          .object({
            count: integer('Values in all buckets'),
            total: integer('Sum of the values, exact'),
            buckets: z.array(bucket).describe('Those that are not empty, ascending'),
          })
          .catchall(value),
      ),
    })
    .describe('Histograms: a row for each key, with the members of `shape.keys` and these'),
  stacks: z
    .object({
      stacks: z
        .array(
          z
            .object({
              frames: z
                .array(z.int().min(0))
                .describe('Outermost function first; places in the list `frames` beside it'),
            })
            .catchall(value),
        )
        .describe('Each with the members of `shape.keys` and `shape.weights`'),
      frames: z.array(frame).describe('Every function once'),
      whole: z
        .object({
          file: text(`Every row: \`${rowsFile}\``),
          rows: z.int().describe('How many it has'),
          over: z
            .array(z.string())
            .describe('Columns that are null in `stacks`: rows that differ in them alone are added up'),
          bound: integer(
            'Stacks of more of the first weight are in `stacks` with their exact weights; what is below a caller and lighter is added up in a frame `(folded: …)`',
          ),
        })
        .exactOptional()
        .describe('Where there are too many stacks for this file'),
    })
    .describe(
      'Stacks: every distinct stack, and the functions they are made of; where there is `whole`, the heaviest',
    ),
  events: z
    .object({
      file: text(`Where they all are: \`${eventsFile}\`, one object per line in time order`),
      count: integer('Lines of that file'),
      first: z.array(row).describe('The first of them'),
    })
    .describe('Events: in a file of their own'),
  packets: z
    .object({
      file: text(`Where they all are: \`${packetsFile}\`, in time order`),
      count: integer('Packets in that file'),
      first: z.array(row).describe('What is known of the first of them'),
    })
    .describe('Packets: in a file for Wireshark, tcpdump and others'),
};

const reasons = ['RingFull', 'MapFull', 'Budget', 'Sampled', 'StackUnavailable', 'DiskFull', 'Rate'] as const;
const endings = ['Duration', 'CommandExited', 'TargetGone', 'Stopped', 'Budget', 'Failed'] as const;

export const resultSchema = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('TraceResult'),
  schemaVersion: z
    .literal(schemaVersion)
    .describe('Raised when a member changes its meaning or goes; new members do not raise it'),
  headline: text('The result in one line; holds no arguments, paths, addresses or names from DNS'),
  summary: z.array(row).describe('The first rows by the same rule, at most 8 KiB'),
  job: z.object({
    name: text('The TraceJob'),
    namespace: nullable('Its namespace; null for a ClusterTraceJob and for `sonde run`'),
    uid: text('Its UID'),
  }),
  trace: z.object({
    name: text('The gadget'),
    parameters: z.record(z.string(), z.unknown()).describe('As given, with defaults'),
  }),
  startTime: time('Attached (of several nodes, the first)'),
  completionTime: time('Detached (of several nodes, the last)'),
  ended: z.enum(endings).describe('Why it ended'),
  shape: shape.describe('What kind of data follows, and its columns'),
  owners: z.array(owner).describe('What was in scope'),
  events: z.object({
    seen: integer('Events that the programs saw in scope'),
    recorded: integer('Events that are in the data'),
    lost: integer('Events that are missing, for the reasons below'),
    sampledBy: z.number().describe('1: everything was recorded; n: one of n'),
    losses: z.array(z.object({ owner, reason: z.enum(reasons), count: integer('How many') })),
  }),
  overhead: z.object({
    programsCpuNs: integer('CPU time of the programs: hits × the measured cost of one'),
    agentCpuNs: integer("CPU time of Sonde's own process"),
    memoryBytes: integer('Memory of maps, rings and agent'),
    hits: integer('How often the programs ran, in scope or not'),
  }),
  attached: z
    .array(z.object({ node: z.string(), program: z.string(), hook: z.string() }))
    .describe('Which program was attached where'),
  warnings: z
    .array(z.object({ node: z.string(), reason: z.string(), message: z.string() }))
    .describe('What went wrong without ending the job'),
  data: z.union(Object.values(dataSchemas)).describe('By `shape.kind`'),
});
