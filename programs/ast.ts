// The tree of a program as written. programs/parse/* makes it, programs/expand.ts takes macros, positional parameters and sugar out of it,
// programs/check/* gives its expressions types, programs/lower/* turns it into programs/ir.ts. Names of variables and maps have their sigil
// everywhere (`$x`, `@a`, `@`). A string's bytes that are no UTF-8 (`"\xff"`) are U+DC00 + byte: programs/parse/strings.ts gives the bytes back.

import type { Span } from './source.ts';

export interface Program {
  /** `#include`, `#define` and C declarations are read by programs/parse/preamble.ts. */
  defines: { name: string; value: Expression | null; span: Span }[];
  structs: StructDeclaration[];
  enums: EnumDeclaration[];
  config: { name: string; value: string; span: Span }[];
  /** `let @a = lruhash(100);` */
  maps: { name: string; type: string; entries: number; span: Span }[];
  macros: Macro[];
  imports: { name: string; span: Span }[];
  probes: Probe[];
}

export interface StructDeclaration {
  /** One without a tag has a made-up name, which no source can write. */
  name: string;
  union: boolean;
  packed: boolean;
  /** A member of the name '' is an unnamed struct or union: its members are reached as if they were the outer's. */
  members: { name: string; type: TypeName; bits?: number; span: Span }[];
  span: Span;
}

export interface EnumDeclaration {
  name: string;
  members: { name: string; value: bigint; span: Span }[];
  span: Span;
}

export interface Macro {
  name: string;
  /** `$a`: a variable, `@a`: a map, `a`: an expression. */
  parameters: { kind: 'variable' | 'map' | 'expression'; name: string; span: Span }[];
  body: Block;
  span: Span;
}

/** One action block: the attach points that share it. */
export interface Probe {
  attachPoints: AttachPoint[];
  predicate: Expression | null;
  body: Block;
  span: Span;
}

/** `uprobe:/bin/bash:readline+4`: the provider by its full name in lower case, the rest by its parts as written (quotes taken away). */
export interface AttachPoint {
  provider:
    | 'begin'
    | 'end'
    | 'test'
    | 'bench'
    | 'self'
    | 'hardware'
    | 'interval'
    | 'iter'
    | 'fentry'
    | 'fexit'
    | 'kprobe'
    | 'kretprobe'
    | 'profile'
    | 'rawtracepoint'
    | 'software'
    | 'tracepoint'
    | 'uprobe'
    | 'uretprobe'
    | 'usdt'
    | 'watchpoint'
    | 'asyncwatchpoint';
  parts: string[];
  /** As in the source: what the builtin `probe` gives, after wildcards are expanded. */
  text: string;
  span: Span;
}

/** A block's statements; `value` is the last expression where it stands without a semicolon (a block expression's value). */
export interface Block {
  statements: Statement[];
  value: Expression | null;
  span: Span;
}

export type Statement =
  | { kind: 'expression'; expression: Expression; span: Span }
  /** `let $a: uint64 = 1;` `let $a;` */
  | { kind: 'let'; name: string; type: TypeName | null; value: Expression | null; span: Span }
  /** `_ = expression;` */
  | { kind: 'discard'; value: Expression; span: Span }
  | { kind: 'assign'; target: Assignable; operator: AssignOperator; value: Expression; span: Span }
  | { kind: 'if'; condition: Expression; then: Block; otherwise: Block | null; span: Span }
  | { kind: 'while'; condition: Expression; body: Block; span: Span }
  | { kind: 'unroll'; times: Expression; body: Block; span: Span }
  | { kind: 'forMap'; variable: string; map: string; body: Block; span: Span }
  | { kind: 'forRange'; variable: string; from: Expression; to: Expression; body: Block; span: Span }
  | { kind: 'block'; body: Block; span: Span }
  | { kind: 'break'; span: Span }
  | { kind: 'continue'; span: Span }
  | { kind: 'return'; value: Expression | null; span: Span };

export type AssignOperator = '=' | '+=' | '-=' | '*=' | '/=' | '%=' | '&=' | '|=' | '^=' | '<<=' | '>>=';

/** What may stand left of `=` and beside `++`. A field or element is assignable only to be told in words that it is not. */
export type Assignable = Extract<
  Expression,
  { kind: 'variable' | 'map' | 'field' | 'index' | 'dereference' }
>;

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '&&'
  | '||';

export type Expression =
  | { kind: 'integer'; value: bigint /** A duration suffix, `5ms`: then value is in ns. */; span: Span }
  | { kind: 'boolean'; value: boolean; span: Span }
  | { kind: 'string'; value: string; span: Span }
  /** `$1`, `$#`: gone after programs/expand.ts. */
  | { kind: 'positional'; index: number; span: Span }
  | { kind: 'positionalCount'; span: Span }
  /** `$name` */
  | { kind: 'variable'; name: string; span: Span }
  /** `@name`, `@name[a, b]` (key: the tuple's parts; null: none given) */
  | { kind: 'map'; name: string; key: Expression[] | null; span: Span }
  /** A builtin (`pid`, `arg0`, `args`), an enumerator, a define, or a macro without arguments. */
  | { kind: 'identifier'; name: string; span: Span }
  | { kind: 'call'; function: string; nameSpan: Span; arguments: Expression[]; span: Span }
  | { kind: 'field'; of: Expression; name: string; nameSpan: Span /** `->` */; arrow: boolean; span: Span }
  /** `$t.0` */
  | { kind: 'tupleElement'; of: Expression; index: number; span: Span }
  | { kind: 'index'; of: Expression; index: Expression; span: Span }
  | { kind: 'dereference'; of: Expression; span: Span }
  | { kind: 'addressOf'; of: Expression; span: Span }
  | { kind: 'unary'; operator: '-' | '!' | '~'; of: Expression; span: Span }
  | { kind: 'increment'; of: Assignable; operator: '++' | '--'; prefix: boolean; span: Span }
  | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression; span: Span }
  | { kind: 'ternary'; condition: Expression; then: Expression; otherwise: Expression; span: Span }
  | { kind: 'cast'; type: TypeName; of: Expression; span: Span }
  | { kind: 'tuple'; elements: Expression[]; span: Span }
  /** `(a = 1, b = 2)`: a record */
  | { kind: 'record'; members: { name: string; value: Expression }[]; span: Span }
  | { kind: 'sizeof'; type: TypeName | null; of: Expression | null; span: Span }
  | { kind: 'offsetof'; type: TypeName | null; of: Expression | null; path: string[]; span: Span }
  | { kind: 'typeof'; type: TypeName | null; of: Expression | null; span: Span }
  /** `comptime expr`: evaluated while compiling */
  | { kind: 'comptime'; of: Expression; span: Span }
  | { kind: 'block'; body: Block; span: Span };

/**
 * A type as written: `struct task_struct *`, `uint64`, `int8[16]`, `enum x`, `string[64]`, `typeof(expr)`. C's own types are given by width
 * (`unsigned long` is uint64; uint32_t, __u32 and u32 are uint32), except char. An array without a length (`int8[]`) has the length 0.
 */
export interface TypeName {
  /** The base name; for `struct`, `union`, `enum` with `tag` saying which. */
  name: string;
  tag: 'struct' | 'union' | 'enum' | null;
  pointers: number;
  /** Lengths of `[n]`, outermost first. */
  array: number[];
  of?: Expression;
  span: Span;
}
