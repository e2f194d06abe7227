// Where something stands in a program's text, and what is said about it there. Every step (parse, check, generate) reports with these.
// Neighbours: programs/diagnostics.ts renders them with a caret; cli/ and operator/ show them.

/** Half open, in UTF-16 units of the source. */
export interface Span {
  start: number;
  end: number;
}

export type Severity = 'error' | 'warning';

/** One thing said about the source. `hint` is a sentence of its own: what to write instead. */
export interface Diagnostic {
  severity: Severity;
  span: Span;
  message: string;
  hint?: string;
}
