// The agent's library as it ships (bundled by test/bench/rows/agent.ts), in a process of its own. It does what a line on stdin says and answers
// with a line of JSON: "warm N" (N sessions one after another), "session" (one, until the next line), "end".

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { SessionRequest } from '../../agent/plan.ts';
import { startSession } from '../../agent/session.ts';
import { native } from '../../native/index.ts';

const request: SessionRequest = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Milliseconds from start to attached, of each session. */
async function warm(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const session = await startSession(request);
    times.push(performance.now() - start);
    session.stop('Stopped');
    await session.finished;
  }
  return times;
}

async function oneSession(): Promise<{ recorded: number; lost: number }> {
  const session = await startSession(request);
  say({ attached: session.attached.length });
  await lines.next();
  session.stop('Stopped');
  const { meta } = await session.finished;
  return { recorded: Number(meta.events.recorded), lost: Number(meta.events.lost) };
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

native.features();
say({ ready: true });
for (;;) {
  const { value = 'end' } = await lines.next();
  const [word, count] = value.split(' ');
  if (word === 'warm') say({ startMs: await warm(Number(count)) });
  else if (word === 'session') say(await oneSession());
  else break;
}
process.exit(0);
