// A program from its source to its printed maps, as a user runs it. Neighbours: programs/compile.ts, agent/program-session.ts, cli/program.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from '../support/program.ts';

test('a one-liner counts the reads of the command and of nobody else', async () => {
  const source =
    'tracepoint:syscalls:sys_exit_read /args.ret == 777/ { @bytes[comm] = sum(args.ret); @calls = count(); }';
  const { out, said } = await runProgram(source, [
    ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=777', 'count=50', 'status=none'],
  ]);
  assert.equal(said, '');
  assert.equal(out.trim().replace(/\n+/g, '\n'), '@bytes[dd]: 38850\n@calls: 50');
});
