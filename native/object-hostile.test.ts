// Object files that are no object files: parsed in a process of their own, so that a crash is a failure of this test and not of its runner.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { native } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
  const [source, scratch, seed] = process.argv.slice(1);
  const good = readFileSync(source);
  let state = Number(seed);
  const random = (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % below;
  };
  const codes = {};
  for (let round = 0; round < 600; round++) {
    const bad = Buffer.from(good);
    // A third of the changes are in the header, where they mean most.
    for (let changes = 1 + random(8); changes > 0; changes--) bad[random(random(3) === 0 ? 64 : bad.length)] = random(256);
    writeFileSync(scratch, bad.subarray(0, random(10) === 0 ? random(bad.length) : bad.length));
    try {
      const object = native.openObject(scratch);
      if (Array.isArray(object.programs) && Array.isArray(object.maps)) codes.opened = (codes.opened ?? 0) + 1;
      object.close();
    } catch (error) {
      codes[error.code] = (codes[error.code] ?? 0) + 1;
    }
  }
  console.log(JSON.stringify(codes));
`;

test('object files with bytes changed or cut off are opened or refused with a code, and never crash', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-hostile-'));
  try {
    const arch = process.arch === 'x64' ? 'x86' : process.arch;
    const source = join(import.meta.dirname, `../dist/bpf/${arch}/open-files.bpf.o`);
    for (const seed of ['1', '2']) {
      const argv = ['--input-type=module-typescript', '-e', script, source, join(folder, 'object.o'), seed];
      const codes: Record<string, number> = JSON.parse(
        execFileSync(process.execPath, argv, { encoding: 'utf8' }),
      );
      assert.ok((codes.InvalidObject ?? 0) > 100, JSON.stringify(codes));
      assert.deepEqual(
        Object.keys(codes).filter((code) => !['opened', 'InvalidObject', 'NotFound'].includes(code)),
        [],
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
