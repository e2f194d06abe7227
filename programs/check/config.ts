// The config block: its settings with defaults, in one table for the checker and docs/programs.md. Neighbours: check.ts, checked.ts (Config).

import { nearestName } from '../../bpf/nearest.ts';
import type { Program } from '../ast.ts';
import { integerValue } from '../parse/numbers.ts';
import type { Diagnostic } from '../source.ts';
import type { Config } from './checked.ts';
import { anyOf } from './type-text.ts';

interface Setting {
  name: string;
  default: string;
  description: string;
  /** Has an effect in Sonde; else what does instead. */
  member?: keyof Config;
  instead?: string;
  kind: 'integer' | 'boolean' | 'text' | readonly string[];
  least?: number;
  most?: number;
}

const unstable = ['error', 'warn', 'enable'] as const;
const always = 'accepted; Sonde has it in no other way';

export const settings: readonly Setting[] = [
  {
    name: 'cache_user_symbols',
    default: '',
    kind: ['PER_PROGRAM', 'PER_PID', 'NONE'],
    description: 'How long symbols of processes are remembered.',
    instead: 'accepted; mappings are captured while processes live, so symbols outlive them',
  },
  {
    name: 'cpp_demangle',
    default: 'true',
    kind: 'boolean',
    description: 'C++ and Rust names are shown as written.',
    instead: always,
  },
  {
    name: 'lazy_symbolication',
    default: 'false',
    kind: 'boolean',
    description: 'When symbols are looked up.',
    instead: always,
  },
  {
    name: 'license',
    default: 'GPL',
    kind: ['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'],
    member: 'license',
    description: 'The license that programs are loaded under.',
  },
  {
    name: 'log_size',
    default: '1000000',
    kind: 'integer',
    description: "The room for the verifier's words.",
    instead: 'accepted; the room grows as needed',
  },
  {
    name: 'max_bpf_progs',
    default: '1024',
    kind: 'integer',
    member: 'maxBpfPrograms',
    least: 1,
    most: 65_536,
    description: 'How many programs may be generated.',
  },
  {
    name: 'max_cat_bytes',
    default: '10240',
    kind: 'integer',
    member: 'maxCatBytes',
    least: 0,
    most: 1_048_576,
    description: 'How much of a file `cat` prints.',
  },
  {
    name: 'max_map_keys',
    default: '4096',
    kind: 'integer',
    member: 'maxMapKeys',
    least: 1,
    most: 10_000_000,
    description: 'How many keys a map has room for.',
  },
  {
    name: 'max_probes',
    default: '1024',
    kind: 'integer',
    member: 'maxProbes',
    least: 1,
    most: 65_536,
    description: 'How many places may be attached to.',
  },
  {
    name: 'max_strlen',
    default: '1024',
    kind: 'integer',
    member: 'maxStrlen',
    least: 1,
    most: 16_384,
    description: 'The room for what `str`, `buf` and `path` read.',
  },
  {
    name: 'missing_probes',
    default: 'error',
    kind: ['error', 'warn', 'ignore'],
    member: 'missingProbes',
    description: 'What to do about places that this machine does not have.',
  },
  {
    name: 'on_stack_limit',
    default: '32',
    kind: 'integer',
    description: 'What is kept on the stack.',
    instead: 'accepted; the compiler decides',
  },
  {
    name: 'perf_rb_pages',
    default: '',
    kind: 'integer',
    description: 'The size of the ring.',
    instead: "accepted; the ring is the job's, by its budget",
  },
  {
    name: 'print_maps_on_exit',
    default: 'true',
    kind: 'boolean',
    member: 'printMapsOnExit',
    description: 'Maps are printed at the end.',
  },
  {
    name: 'show_debug_info',
    default: 'true',
    kind: 'boolean',
    description: 'Stacks show files and lines where they are known.',
    instead: always,
  },
  {
    name: 'stack_mode',
    default: 'bpftrace',
    kind: ['bpftrace', 'perf', 'raw'],
    member: 'stackMode',
    description: 'How stacks are shown that do not say so themselves.',
  },
  {
    name: 'str_trunc_trailer',
    default: '..',
    kind: 'text',
    member: 'strTruncTrailer',
    description: 'What follows a text that was cut.',
  },
  ...['unstable_map_decl', 'unstable_tseries', 'unstable_addr'].map(
    (name): Setting => ({
      name,
      default: 'warn',
      kind: unstable,
      description: `Whether ${name.slice(9)} may be used.`,
      instead: '`error` refuses it; Sonde does not warn of it',
    }),
  ),
];

/** The settings of a program, those of the environment over them; `refused`: unstable features it does without. */
export function readConfig(
  program: Program,
  environment: ReadonlyMap<string, string>,
): { config: Config; refused: Set<string>; diagnostics: Diagnostic[] } {
  const values = new Map(settings.map(({ name, default: value }) => [name, value]));
  const diagnostics: Diagnostic[] = [];
  const whole = { start: 0, end: 0 };
  const given = [
    ...program.config,
    ...Array.from(environment, ([name, value]) => ({ name, value, span: whole })),
  ];
  for (const { name, value, span } of given) {
    const plain = name.toLowerCase().replace(/^bpftrace_/, '');
    const setting = settings.find((known) => known.name === plain);
    const wrong = setting === undefined ? unknownSetting(name, plain) : judge(setting, value);
    if (wrong === null) values.set(plain, value);
    else {
      const start = span.start;
      // What is not known is the name alone; of the environment's settings there is no place.
      const end = setting === undefined && span !== whole ? start + name.length : span.end;
      diagnostics.push({ severity: 'error', span: { start, end }, ...wrong });
    }
  }
  return {
    config: asConfig(values),
    refused: new Set(
      [...values]
        .filter(([name, value]) => name.startsWith('unstable_') && value === 'error')
        .map(([name]) => name),
    ),
    diagnostics,
  };
}

type Words = Pick<Diagnostic, 'message' | 'hint'>;

function unknownSetting(name: string, plain: string): Words {
  const near = nearestName(
    plain,
    settings.map((known) => known.name),
  );
  return {
    message: `Unrecognized config variable: ${name}`,
    ...(near === undefined ? {} : { hint: `did you mean '${near}'?` }),
  };
}

function judge({ name, kind, least = 0, most = 2 ** 32 }: Setting, value: string): Words | null {
  if (kind === 'text') return null;
  if (kind === 'boolean')
    return /^(?:true|false|0|1)$/i.test(value)
      ? null
      : { message: `${name} is true or false, not '${value}'` };
  // bpftrace's words: scripts' tests look for them.
  if (name === 'license' && kind !== 'integer' && !kind.includes(value))
    return {
      message: `Your bpftrace program cannot load because you are using a license that is non-GPL compatible. License: ${value}`,
      hint: `license is ${anyOf(kind)}`,
    };
  if (kind !== 'integer')
    return kind.includes(value) ? null : { message: `${name} is ${anyOf(kind)}, not '${value}'` };
  const read = integerValue(value);
  if ('wrong' in read) return { message: `${name} is a number: ${read.wrong}` };
  if (read.value < BigInt(least) || read.value > BigInt(most))
    return { message: `${name} is from ${least} to ${most}, not ${value}` };
  return null;
}

function asConfig(values: ReadonlyMap<string, string>): Config {
  const text = (name: string) => values.get(name) ?? '';
  const number = (name: string) => {
    const read = integerValue(text(name));
    return 'value' in read ? Number(read.value) : 0;
  };
  return {
    license: text('license'),
    stackMode: text('stack_mode') as Config['stackMode'],
    maxCatBytes: number('max_cat_bytes'),
    maxMapKeys: number('max_map_keys'),
    maxProbes: number('max_probes'),
    maxBpfPrograms: number('max_bpf_progs'),
    maxStrlen: number('max_strlen'),
    missingProbes: text('missing_probes') as Config['missingProbes'],
    printMapsOnExit: /^(?:true|1)$/i.test(text('print_maps_on_exit')),
    strTruncTrailer: text('str_trunc_trailer'),
  };
}
