// The same script under Debian's bpftrace and under Sonde, on the same workload: what both print is the same, after addresses are taken out.
// The corpus is test/programs/differential/*.bt, its form is in corpus.ts there. Neighbours: test/support/program.ts, test/support/peer.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { havePeers, runBpftrace } from '../support/peer.ts';
import { runProgram } from '../support/program.ts';
import type { Argv } from '../support/trace.ts';
import { workload } from '../support/workload.ts';
import { readCorpus, type Script } from './differential/corpus.ts';

for (const [feature, scripts] of await readCorpus()) {
  // bpftrace waits more than it computes.
  describe(feature, { concurrency: 3 }, () => {
    for (const script of scripts) {
      const todo = script.todo === undefined ? {} : { todo: script.todo };
      test(script.name, todo, async (t) => {
        if (!havePeers && script.ours === undefined) return t.skip('NotSupported: bpftrace is not installed');
        const inside = script.command === undefined ? [] : [await commandOf(script.command)];
        const source = await placed(script.source);
        const [ours, expected] = await Promise.all([
          // The session traces nothing but the command.
          runProgram(source.replaceAll('SCOPE', '1'), inside, { positional: script.positional }),
          script.ours ?? theirs(source.replaceAll('SCOPE', 'pid == cpid'), script, inside[0]),
        ]);
        assert.equal(normal(ours.out + ours.said), normal(expected));
      });
    }
  });
}

async function theirs(source: string, { positional }: Script, command: Argv | undefined): Promise<string> {
  const { out, said, code } = await runBpftrace(source, positional, command);
  assert.equal(code, 0, said);
  return out;
}

/** "calls 1 2": a program of test/workloads and its arguments. */
async function commandOf(line: string): Promise<Argv> {
  const [name = '', ...rest] = line.split(' ');
  return [await workload(name), ...rest];
}

async function placed(source: string): Promise<string> {
  return source.includes('CALLS') ? source.replaceAll('CALLS', await workload('calls')) : source;
}

/** Empty lines, the spaces at ends of lines and how many probes there are, are not what is compared. */
function normal(text: string): string {
  return text
    .replace(/^Attaching \d+ probes?\.\.\.$/gm, '')
    .replace(/0x[0-9a-f]{6,}/g, 'ADDRESS')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
