// A tracepoint's record as tracefs describes it (events/CATEGORY/NAME/format). Pure. Neighbours: agent/program-kernel.ts reads the files.

import type { Layout, Type } from '../programs/types.ts';

type Member = Layout['members'][number];

const line =
  /^\s*field:(?<declaration>[^;]+);\s*offset:(?<offset>\d+);\s*size:(?<size>\d+);\s*signed:(?<signed>[01]);/;

export function readFormat(category: string, name: string, text: string): Layout {
  const members: Member[] = [];
  let size = 0;
  for (const each of text.split('\n')) {
    const { groups } = line.exec(each) ?? {};
    if (groups === undefined) continue;
    const field = { offset: Number(groups.offset), size: Number(groups.size), signed: groups.signed === '1' };
    size = Math.max(size, field.offset + field.size);
    const member = memberOf(groups.declaration ?? '', field);
    if (member !== undefined) members.push(member);
  }
  return { name: `struct ${category}_${name}`, size, members };
}

interface Field {
  offset: number;
  size: number;
  signed: boolean;
}

const character: Type = { kind: 'integer', bits: 8, signed: true };

function memberOf(declaration: string, field: Field): Member | undefined {
  // `char prev_comm[16]`, `const char * filename`, `__data_loc char[] filename`, `u8 saddr[sizeof(struct sockaddr_in6)]`.
  const match = /^(?<base>.*?)(?<name>[A-Za-z_]\w*)(?<array>\[[^\]]*\])?$/.exec(declaration.trim());
  const { base = '', name, array } = match?.groups ?? {};
  if (name === undefined) return undefined;
  const offsetBits = field.offset * 8;
  if (/^__(data|rel)_loc\b/.test(base)) {
    // What lies elsewhere in the record is known by its address.
    const to = elementType(base.replace(/^__(data|rel)_loc\s+/, '').replace(/\[.*$/, ''), field) ?? character;
    return { name, type: { kind: 'pointer', to, space: 'kernel' }, offsetBits, dataLoc: true };
  }
  return { name, type: fieldType(base.trim(), array !== undefined, field), offsetBits };
}

function fieldType(base: string, array: boolean, field: Field): Type {
  if (array) {
    if (base === 'char') return { kind: 'string', size: field.size };
    const of = elementType(base, field) ?? { kind: 'integer', bits: 8, signed: false };
    const width = of.kind === 'integer' ? of.bits / 8 : 8;
    return { kind: 'array', of, length: Math.floor(field.size / width), space: 'kernel' };
  }
  if (base.endsWith('*')) return pointerOf(base);
  const composite = /^(?:const\s+)?((?:struct|union)\s+\w+)$/.exec(base);
  if (composite?.[1] !== undefined) return { kind: 'struct', name: composite[1], space: 'kernel' };
  if (base === 'bool') return { kind: 'boolean' };
  const bits = [8, 16, 32, 64].find((each) => each / 8 === field.size);
  // An unknown type of an odd size is bytes.
  if (bits === undefined)
    return {
      kind: 'array',
      of: { kind: 'integer', bits: 8, signed: false },
      length: field.size,
      space: 'kernel',
    };
  // A call's arguments are said to be unsigned, whatever their type.
  const signed =
    field.signed ||
    /^(int|long|short|signed|s(8|16|32|64)|ssize_t|off_t|loff_t|pid_t|key_t|clockid_t)\b/.test(base);
  return { kind: 'integer', bits: bits as 8 | 16 | 32 | 64, signed };
}

function pointerOf(base: string): Type {
  const to = base
    .slice(0, -1)
    .trim()
    .replace(/\b(const|volatile|__user|__kernel)\b\s*/g, '')
    .trim();
  if (to.endsWith('*')) return { kind: 'pointer', to: pointerOf(to), space: 'none' };
  const composite = /^(struct|union)\s+\w+$/.test(to);
  if (composite) return { kind: 'pointer', to: { kind: 'struct', name: to, space: 'none' }, space: 'none' };
  return { kind: 'pointer', to: elementType(to) ?? { kind: 'none' }, space: 'none' };
}

const widths: Record<string, [bits: 8 | 16 | 32 | 64, signed: boolean]> = {
  char: [8, true],
  'signed char': [8, true],
  'unsigned char': [8, false],
  u8: [8, false],
  __u8: [8, false],
  uint8_t: [8, false],
  s8: [8, true],
  short: [16, true],
  'unsigned short': [16, false],
  u16: [16, false],
  __u16: [16, false],
  __be16: [16, false],
  uint16_t: [16, false],
  s16: [16, true],
  int: [32, true],
  unsigned: [32, false],
  'unsigned int': [32, false],
  u32: [32, false],
  __u32: [32, false],
  __be32: [32, false],
  uint32_t: [32, false],
  s32: [32, true],
  pid_t: [32, true],
  long: [64, true],
  'unsigned long': [64, false],
  u64: [64, false],
  __u64: [64, false],
  uint64_t: [64, false],
  s64: [64, true],
  size_t: [64, false],
  loff_t: [64, true],
};

function elementType(name: string, field?: Field): (Type & { kind: 'integer' }) | undefined {
  const known = widths[name.replace(/\bconst\b/g, '').trim()];
  if (known === undefined) return undefined;
  return { kind: 'integer', bits: known[0], signed: known[1] || (field?.signed ?? false) };
}
