// What the probes of one program have in common while they are lowered: maps, outputs, layouts, functions. programs/lower/lower.ts makes it.

import type { Checked, CheckedMap } from '../check/checked.ts';
import type { CompiledMap, Field, Output } from '../compiled.ts';
import type { IrFunction, IrMap, MemoryType } from '../ir.ts';
import type { Kernel } from '../kernel.ts';
import { alignmentOf, elementsOf, sizeOf, up } from '../layout.ts';
import type { Span } from '../source.ts';
import { isAggregate, type Type } from '../types.ts';

/** Something the checker lets pass and that can't be done here; becomes a diagnostic. */
export class CannotLower extends Error {
  readonly span: Span;
  constructor(message: string, span: Span) {
    super(message);
    this.name = 'CannotLower';
    this.span = span;
  }
}

/** The per-CPU map in which programs build what the BPF stack has no room for: one entry for each program, so that those which interrupt each
 *  other do not meet. */
export const scratchMap = 'program_scratch';

/** A per-CPU map's value is at most so large (PCPU_MIN_UNIT_SIZE). */
export const mostScratch = 32 * 1024;

/** Containers whose rows a map without a key may hold beside each other. */
const scalarContainers = 256;

export class Shared {
  readonly checked: Checked;
  readonly kernel: Kernel;
  /** Reads that fail are told (-k). */
  readonly runtimeChecks: boolean;
  readonly functions: IrFunction[] = [];
  readonly outputs: Output[] = [];
  readonly maps = new Map<string, CompiledMap>();
  needsMappings = false;
  /** Programs that have a part of the scratch, and the largest part. */
  scratchParts = 0;
  scratchSize = 0;
  private readonly outputIndex = new Map<string, number>();

  constructor(checked: Checked, kernel: Kernel, runtimeChecks: boolean) {
    this.checked = checked;
    this.runtimeChecks = runtimeChecks;
    this.kernel = kernel;
    for (const map of checked.maps.values()) this.maps.set(map.name, this.compileMap(map));
  }

  sizeOf(type: Type): number {
    return sizeOf(type, this.checked.layouts);
  }

  alignmentOf(type: Type): number {
    return alignmentOf(type, this.checked.layouts);
  }

  elementsOf(type: Type & { kind: 'tuple' | 'record' }) {
    return elementsOf(type, this.checked.layouts);
  }

  layout(name: string, span: Span) {
    const layout = this.checked.layouts.get(name) ?? this.kernel.layout(name);
    if (layout === undefined) throw new CannotLower(`the layout of ${name} is not known`, span);
    return layout;
  }

  map(name: string, span: Span): CompiledMap {
    const map = this.maps.get(name);
    if (map === undefined) throw new CannotLower(`${name} is never assigned`, span);
    return map;
  }

  /** The place of an output in Compiled.outputs; the same place of the source has one, however many programs come from it. */
  output(output: Output, span: Span): number {
    const text = JSON.stringify([output, span], (_, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const known = this.outputIndex.get(text);
    if (known !== undefined) return known;
    this.outputIndex.set(text, this.outputs.length);
    return this.outputs.push(output) - 1;
  }

  private compileMap(checked: CheckedMap): CompiledMap {
    const aggregate = isAggregate(checked.value);
    const byContainer = aggregate && checked.onlyAggregated;
    const start = byContainer ? 8 : 0;
    const key = checked.key === null ? null : this.keyFields(this.shortened(checked.key), start);
    const last = key?.at(-1);
    const end = last === undefined ? Math.max(start, 8) : last.offset + this.sizeOf(last.type);
    const alignment = (key ?? []).reduce(
      (most, { type }) => Math.max(most, this.alignmentOf(type)),
      start || 1,
    );
    const keySize = key === null ? 8 : Math.max(1, up(end, alignment));
    const type = checked.declared ?? (aggregate && checked.onlyAggregated ? 'percpuHash' : 'hash');
    const name = `map_${checked.name.slice(1)}`;
    const map: IrMap = {
      name,
      type,
      key: {
        kind: 'struct',
        name: `${name}_key`,
        size: keySize,
        members: [
          ...(byContainer ? [{ name: 'container', offset: 0, type: u64 }] : []),
          ...(key ?? []).map(({ type: of, offset }, index) => ({
            name: `key${index}`,
            offset,
            type: this.memoryType(of),
          })),
          ...(key === null && !byContainer ? [{ name: 'zero', offset: 0, type: u64 }] : []),
        ],
      },
      value: this.memoryType(checked.value),
      entries: this.entries(checked, type, byContainer),
    };
    return {
      name: checked.name,
      map,
      key,
      value: checked.value,
      byContainer,
      perCpu: type === 'percpuHash' || type === 'lruPercpuHash',
    };
  }

  private entries(checked: CheckedMap, type: IrMap['type'], byContainer: boolean): number {
    const wanted = checked.key !== null ? checked.entries : byContainer ? scalarContainers : 1;
    if (checked.declared !== null || !type.startsWith('percpu')) return wanted;
    const each = this.sizeOf(checked.value) * this.kernel.cpus;
    return Math.min(wanted, Math.max(fewestKeys, Math.floor(mostPerCpu / each)));
  }

  /** Until Linux 5.11 a key is at most as large as the BPF stack: text in it is cut to what fits. */
  private shortened(type: Type): Type {
    if (this.kernel.enumerator('BPF_FUNC_task_storage_get') !== undefined) return type;
    let size = mostOldKey;
    let cut = type;
    while (this.sizeOf(cut) > mostOldKey - 8 && size > 16) {
      size /= 2;
      cut = withTextOf(type, size);
    }
    return cut;
  }

  /** Tuple keys are spread: `@a[1, 2]` has two fields. */
  private keyFields(type: Type, start: number): Field[] {
    if (type.kind !== 'tuple') return [{ offset: start, type }];
    const alignment = this.alignmentOf(type);
    return this.elementsOf(type).map((element) => ({
      ...element,
      offset: up(start, alignment) + element.offset,
    }));
  }

  private memoryType(type: Type): MemoryType {
    const size = this.sizeOf(type);
    switch (type.kind) {
      case 'integer':
        return { kind: 'integer', bits: type.bits, signed: type.signed };
      case 'sum':
        return { kind: 'integer', bits: 64, signed: type.signed };
      case 'pointer':
      case 'stack':
      case 'count':
      case 'timestamp':
      case 'cgroupPath':
        return u64;
      case 'hist':
      case 'lhist':
      case 'min':
      case 'max':
      case 'avg':
      case 'stats':
      case 'tseries':
        return { kind: 'array', of: u64, length: size / 8 };
      default:
        return { kind: 'bytes', length: Math.max(1, size) };
    }
  }
}

const mostOldKey = 512;

/** A map's memory is taken when it is made, for each CPU (allocating in a program can deadlock before Linux 6.1): histograms of many keys get room for
 *  fewer of them, and what has none is counted as lost. */
const mostPerCpu = 32 * 1024 * 1024;
const fewestKeys = 64;

function withTextOf(type: Type, size: number): Type {
  if (type.kind === 'string' || type.kind === 'buffer') return { ...type, size: Math.min(type.size, size) };
  if (type.kind !== 'tuple') return type;
  return { ...type, elements: type.elements.map((element) => withTextOf(element, size)) };
}

const u64: MemoryType = { kind: 'integer', bits: 64, signed: false };
