// A plan that came over the network, member by member: of the right types and sizes, or refused. Neighbours: agent/plan.ts and bpf/gadget.ts (the types),
// agent/limits.ts (what the numbers may be).

import type { From, KnobValue, ProgramUse, Source, Unended } from '../bpf/gadget.ts';
import type { AttachOptions } from '../native/api.ts';
import type { HistogramShape, ValueColumn } from '../results/shape.ts';
import {
  byKind,
  type Check,
  CheckError,
  firstOf,
  flag,
  listOf,
  members,
  number,
  object,
  oneOf,
  recordOf,
  text,
} from './check.ts';
import type { TracePlan } from './plan.ts';

const mostColumns = 100;

/** Of C and of columns. */
const name = text(100, /^[A-Za-z_][A-Za-z0-9_.]*$/);
const words = text(2000);
const path = text(4096);
const integer = number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

const wide: Check<bigint> = (value, at) => {
  if (typeof value !== 'bigint' || value < -(2n ** 63n) || value >= 2n ** 64n)
    throw new CheckError(at, 'a 64-bit integer');
  return value;
};

const columnType = oneOf('integer', 'text', 'textList', 'boolean', 'time', 'ipAddress');
const unit = oneOf('ns', 'bytes', 'calls', 'samples', 'events', 'switches');
const columnRequired = { name, type: columnType, description: words };
const columnOptional = {
  unit,
  noun: text(100),
  sensitive: oneOf('arguments', 'path'),
  optional: flag,
};

const column = members<From>(columnRequired, {
  ...columnOptional,
  member: name,
  names: firstOf<NonNullable<From['names']>>(
    oneOf('syscall', 'errno', 'signal'),
    recordOf(text(200), 1000, text(20, /^-?\d+$/)),
  ),
  when: name,
  completion: oneOf(true),
});

const valueColumn = members<From<ValueColumn>>(
  { ...columnRequired, fold: oneOf('sum', 'min', 'max') },
  {
    ...columnOptional,
    member: name,
    names: oneOf('syscall', 'errno', 'signal'),
    when: name,
    completion: oneOf(true),
  },
);

const columns = listOf(column, mostColumns);
const valueColumns = listOf(valueColumn, mostColumns);

const scale = byKind<HistogramShape['scale']>({
  log2: members({ kind: oneOf('log2') }, {}),
  linear: members({ kind: oneOf('linear'), min: integer, max: integer, step: integer }, {}),
});

type SourceOf<K extends Source['kind']> = Source & { kind: K };

/** As libpcap has it; the kernel takes no more. */
const mostSnapLength = 262_144;

const source = byKind<Source>({
  ring: members<SourceOf<'ring'>>(
    {
      kind: oneOf('ring'),
      record: name,
      shape: members<SourceOf<'ring'>['shape']>({ kind: oneOf('events'), columns }, {}),
    },
    { completion: name },
  ),
  packets: members<SourceOf<'packets'>>(
    {
      kind: oneOf('packets'),
      filter: text(4096),
      device: text(15, /^[^\s/]+$/),
      snapLength: number(1, mostSnapLength),
      keepBytes: number(0, 64 << 20),
      shape: members<SourceOf<'packets'>['shape']>({ kind: oneOf('packets'), columns }, {}),
    },
    {},
  ),
  table: members<SourceOf<'table'>>(
    {
      kind: oneOf('table'),
      map: name,
      counts: name,
      shape: members<SourceOf<'table'>['shape']>(
        { kind: oneOf('table'), keys: columns, values: valueColumns, sort: name },
        {},
      ),
    },
    {},
  ),
  histogram: members<SourceOf<'histogram'>>(
    {
      kind: oneOf('histogram'),
      map: name,
      shape: members<SourceOf<'histogram'>['shape']>(
        { kind: oneOf('histogram'), keys: columns, value: column, scale },
        {},
      ),
    },
    {},
  ),
  stacks: members<SourceOf<'stacks'>>(
    {
      kind: oneOf('stacks'),
      map: name,
      counts: name,
      shape: members<SourceOf<'stacks'>['shape']>(
        { kind: oneOf('stacks'), keys: columns, weights: valueColumns },
        {},
      ),
    },
    {
      unended: members<Unended>(
        {
          map: name,
          duration: name,
          minimumNs: number(0, Number.MAX_SAFE_INTEGER),
          maximumNs: number(0, Number.MAX_SAFE_INTEGER),
        },
        {},
      ),
    },
  ),
});

const pid = number(1, 2 ** 22);

const attach = byKind<AttachOptions>({
  auto: members({ kind: oneOf('auto') }, {}),
  tracepoint: members({ kind: oneOf('tracepoint'), category: name, name }, {}),
  rawTracepoint: members({ kind: oneOf('rawTracepoint'), name }, {}),
  kprobe: members({ kind: oneOf('kprobe'), function: name, return: flag }, {}),
  perfEvent: members<AttachOptions & { kind: 'perfEvent' }>(
    { kind: oneOf('perfEvent'), event: oneOf('cpuClock', 'taskClock'), frequencyHz: number(1, 10_000) },
    { cgroupPath: path, pid },
  ),
  uprobe: members<AttachOptions & { kind: 'uprobe' }>(
    { kind: oneOf('uprobe'), binary: path, functions: listOf(words, 1000), return: flag },
    { pid },
  ),
  usdt: members<AttachOptions & { kind: 'usdt' }>(
    { kind: oneOf('usdt'), binary: path, provider: text(100), probe: text(100) },
    { pid },
  ),
});

const use = members<ProgramUse>({ program: name }, { attach });

const knob = firstOf<KnobValue>(integer, wide, flag, text(4096), listOf(wide, 4096));

/** Throws CheckError. */
export const asPlan: Check<TracePlan> = members<TracePlan>(
  {
    trace: text(100, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/),
    parameters: object,
    subject: oneOf('current', 'task', 'sock', 'netns', 'bio'),
    source,
    programs: listOf(listOf(listOf(use, 100), 20), 100),
    hitCost: members({ outsideNs: number(0, 1e9), insideNs: number(0, 1e9) }, {}),
    variables: recordOf(knob, 200, name),
    maxEntries: recordOf(integer, 100, name),
  },
  {},
);
