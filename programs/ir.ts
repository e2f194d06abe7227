// Between the tree and the bytecode: functions of basic blocks over virtual registers of 64 bits. programs/lower/* writes it, programs/optimize.ts
// makes it smaller, programs/emit/* chooses registers and writes eBPF, programs/interpret.ts runs it, programs/ir-text.ts prints it (goldens).

import type { Span } from './source.ts';

/** A virtual register of its function; assigned as often as one likes. */
export type Register = number;

export type Operand = Register | { value: bigint };

export type Width = 1 | 2 | 4 | 8;

/** The divisions and shifts are those of the language: division by zero gives 0, remainder by zero the dividend (as eBPF has it). */
export type BinaryOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'udiv'
  | 'sdiv'
  | 'umod'
  | 'smod'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
  | 'sar';

/** s…: signed. */
export type Condition = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'slt' | 'sle' | 'sgt' | 'sge';

export type Instruction = (
  | { op: 'constant'; to: Register; value: bigint }
  | { op: 'move'; to: Register; from: Register }
  | { op: 'binary'; operation: BinaryOperation; to: Register; left: Register; right: Operand }
  | { op: 'negate'; to: Register; from: Register }
  | { op: 'byteSwap'; to: Register; from: Register; bits: 16 | 32 | 64 }
  /** Keeps the low bits and widens them again. */
  | { op: 'extend'; to: Register; from: Register; bits: 8 | 16 | 32; signed: boolean }
  | { op: 'compare'; condition: Condition; to: Register; left: Register; right: Operand }
  /** base: an address that the verifier knows (context, frame, map value, BTF pointer). Zero-extended unless signed. */
  | { op: 'load'; to: Register; base: Register; offset: number; width: Width; signed: boolean }
  | { op: 'store'; base: Register; offset: number; width: Width; from: Operand }
  | { op: 'atomicAdd'; base: Register; offset: number; width: 4 | 8; from: Register }
  /** The context as the program got it. */
  | { op: 'context'; to: Register }
  /** A parameter of this function (subprograms only), 0..4. */
  | { op: 'parameter'; to: Register; index: number }
  /** The address of one of the function's frames. */
  | { op: 'frame'; to: Register; frame: number }
  /** A map, as helpers take it. */
  | { op: 'map'; to: Register; map: string }
  /** The address of read-only bytes (strings, tables); equal bytes are kept once. */
  | { op: 'data'; to: Register; bytes: Uint8Array }
  /** The address of a global of the runtime (`job_stopped`), or of this object. */
  | { op: 'global'; to: Register; name: string }
  /** A function of this object, as a helper's callback (bpf_for_each_map_elem, bpf_loop). */
  | { op: 'function'; to: Register; name: string }
  /** A kernel helper by its number in enum bpf_func_id. */
  | { op: 'helper'; to: Register; helper: number; arguments: Register[] }
  /** A function of bpf/program/runtime.bpf.c, or of this object. At most 5 arguments. */
  | { op: 'call'; to: Register; function: string; arguments: Register[] }
) & { span?: Span };

export type Terminator =
  | { op: 'jump'; to: number }
  | {
      op: 'branch';
      condition: Condition;
      left: Register;
      right: Operand;
      then: number;
      otherwise: number;
      span?: Span;
    }
  | { op: 'return'; value: Operand };

export interface Block {
  instructions: Instruction[];
  end: Terminator;
}

export interface IrFunction {
  name: string;
  /** The ELF section of a program ("tracepoint", "perf_event", "fentry/vfs_open"); null: a subprogram in .text. */
  section: string | null;
  parameters: number;
  /** Bytes of each frame on the BPF stack, 8-aligned. All frames of a chain of calls have 512 bytes together. */
  frames: number[];
  registers: number;
  /** Block 0 is the entry. */
  blocks: Block[];
}

/** What a BTF-described map holds: enough to make its types. Structs are laid out by C's rules of alignment, which lowering has followed. */
export type MemoryType =
  | { kind: 'integer'; bits: 8 | 16 | 32 | 64; signed: boolean }
  | { kind: 'bytes'; length: number }
  | { kind: 'array'; of: MemoryType; length: number }
  | {
      kind: 'struct';
      name: string;
      size: number;
      members: { name: string; offset: number; type: MemoryType }[];
    };

export interface IrMap {
  /** As the object has it: `map_` and the name in the source. */
  name: string;
  type: 'hash' | 'lruHash' | 'percpuHash' | 'lruPercpuHash' | 'percpuArray' | 'array';
  key: MemoryType;
  value: MemoryType;
  entries: number;
}

/** What programs/emit/object.ts makes an ELF file of. */
export interface IrModule {
  functions: IrFunction[];
  maps: IrMap[];
  /** Zeroed globals of this object (.bss), readable from outside. */
  globals: { name: string; type: MemoryType }[];
  license: string;
  /** For the line information that puts the source's line into the verifier's words. */
  source: { name: string; text: string };
}
