// Why a program that the checker took can't be written as eBPF. Few things: sizes, and names that the runtime does not have.

import type { Span } from '../source.ts';

export type EmitErrorCode =
  /** Frames and spilled values of one function do not fit into 512 bytes. */
  | 'StackTooLarge'
  /** A jump would be longer than 32,767 instructions. */
  | 'FunctionTooLarge'
  /** A function, map or global that neither the module nor the runtime has. */
  | 'UnknownName'
  /** The runtime's object is not one. */
  | 'InvalidRuntime';

export class EmitError extends Error {
  override name = 'EmitError';
  readonly code: EmitErrorCode;
  readonly span: Span | undefined;

  constructor(code: EmitErrorCode, message: string, span?: Span) {
    super(message);
    this.code = code;
    this.span = span;
  }
}
