// What the addon looks up for the compiler of programs: the kernel's types by BTF, an ELF file's symbols and USDT probes. Part of native/api.ts.

/** A type of the kernel's, through typedefs and qualifiers. Structs by name (`struct x`, `union x`; one without a name `struct #id`). */
export type KernelType =
  | { kind: 'void' | 'boolean' | 'function' }
  | { kind: 'integer'; bits: number; signed: boolean; character?: true; enum?: string }
  | { kind: 'float'; bits: number }
  | { kind: 'pointer'; to: KernelType }
  | { kind: 'struct'; name: string }
  | { kind: 'array'; of: KernelType; length: number };

export interface KernelLayout {
  name: string;
  /** Bytes. */
  size: number;
  /** Of nameless structs and unions inside too, as in C. offset in bits; bits: of a bit field. */
  members: { name: string; type: KernelType; offset: number; bits?: number }[];
}

export interface KernelPrototype {
  parameters: { name: string; type: KernelType }[];
  returns: KernelType;
}

/** The kernel's BTF, or a module's on top of it, by name. Read at the first question that needs it; 10 MB while any is open. */
export interface KernelTypes {
  /** `struct x`, `union x`, or a typedef's name. */
  layout(name: string): KernelLayout | undefined;
  /** A typedef, a base type, `enum x`, `struct x`. */
  named(name: string): KernelType | undefined;
  function(name: string): KernelPrototype | undefined;
  /** The arguments of a raw tracepoint. */
  tracepoint(name: string): KernelPrototype | undefined;
  /** All names, in the BTF's order. */
  functions(): string[];
  tracepoints(): string[];
  enumerator(name: string): { value: bigint; enum: string } | undefined;
  enumerators(name: string): { name: string; value: bigint }[] | undefined;
  close(): void;
}

export interface ElfSymbol {
  name: string;
  address: bigint;
  size: number;
  /** Else an object. */
  function: boolean;
}

export interface UsdtNote {
  provider: string;
  name: string;
  /** As written in the note: "-4@%edi 8@%rsi". */
  arguments: string;
}
