// Blocks: their statements, their values, and going on behind a statement that can't be read. Neighbours: programs/parse/statements.ts, operands.ts.

import type { Block, Expression, Statement } from '../ast.ts';
import { beginsProbe } from './attach-points.ts';
import { type Cursor, SyntaxProblem } from './cursor.ts';
import { parseStatement } from './statements.ts';

/** `{ … }`. What stands last without a semicolon is its value. */
export function parseBlock(cursor: Cursor): Block {
  const { start } = cursor.expect('{');
  const statements: Statement[] = [];
  let value: Expression | null = null;
  let height = 0;
  while (!cursor.is('}')) {
    const before = cursor.at;
    try {
      if (cursor.peek().kind === 'end' || beginsProbe(cursor)) cursor.unexpected("'}'");
      const read = parseStatement(cursor);
      height = Math.max(height, cursor.height);
      if (read.value === null) statements.push(read.statement);
      else value = read.value;
    } catch (caught) {
      if (!(caught instanceof SyntaxProblem)) throw caught;
      cursor.report(caught.diagnostic);
      if (!skipToNextStatement(cursor, before)) break;
    }
  }
  cursor.accept('}');
  cursor.height = height;
  return { statements, value, span: cursor.spanFrom(start) };
}

/** A block whose value nobody takes. */
export function parseBody(cursor: Cursor): Block {
  if (!cursor.is('{')) cursor.unexpected("'{'");
  return withoutValue(cursor.nested(() => parseBlock(cursor)));
}

export function withoutValue(block: Block): Block {
  if (block.value === null) return block;
  return { ...block, statements: [...block.statements, asStatement(block.value)], value: null };
}

/** An `if` or a block whose value turns out not to be taken is a statement after all. */
export function asStatement(value: Expression): Statement {
  const { span } = value;
  if (value.kind === 'block') return { kind: 'block', body: withoutValue(value.body), span };
  if (
    value.kind === 'ternary' &&
    value.then.kind === 'block' &&
    value.then.span.start > value.condition.span.start
  ) {
    const then = withoutValue(value.then.body);
    const otherwise = withoutElse(value) ? null : branchAsStatements(value.otherwise);
    return { kind: 'if', condition: value.condition, then, otherwise, span };
  }
  return { kind: 'expression', expression: value, span };
}

function branchAsStatements(branch: Expression): Block {
  if (branch.kind === 'block') return withoutValue(branch.body);
  return { statements: [asStatement(branch)], value: null, span: branch.span };
}

/** An `if` without `else` has an empty branch that stands nowhere. */
function withoutElse({ otherwise }: { otherwise: Expression }): boolean {
  return otherwise.kind === 'block' && otherwise.span.start === otherwise.span.end;
}

/** Moves behind the statement that can't be read, from where the trouble is. false: the block is over. */
function skipToNextStatement(cursor: Cursor, before: number): boolean {
  let braces = 0;
  if (
    cursor.at === before &&
    !cursor.is('{') &&
    !cursor.is('}') &&
    cursor.peek().kind !== 'end' &&
    !beginsProbe(cursor)
  )
    cursor.take();
  for (;;) {
    const token = cursor.peek();
    if (token.kind === 'end' || beginsProbe(cursor)) return false;
    if (token.kind === 'symbol') {
      if (token.text === '}' && braces === 0) return true;
      if (token.text === '{') braces++;
      if (token.text === '}') {
        cursor.take();
        // What ends with a brace ends the statement.
        if (--braces === 0) {
          cursor.accept(';');
          return true;
        }
        continue;
      }
      if (token.text === ';' && braces === 0) {
        cursor.take();
        return true;
      }
    }
    cursor.take();
  }
}
