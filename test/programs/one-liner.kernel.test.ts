// A program from its source to its printed maps, as a user runs it. Neighbours: programs/compile.ts, agent/program-session.ts, cli/program.ts.

import { test } from 'node:test';

test('a one-liner counts the reads of the command and of nobody else', {
  todo: 'the compiler is being built',
});
