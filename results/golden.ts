// Compares with a file of testdata/, or rewrites it with UPDATE_GOLDEN=1. Neighbours: results/*.test.ts.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `name` is relative to results/testdata. */
export function assertGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, 'testdata', name);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  assert.equal(text, readFileSync(path, 'utf8'), `${name} differs; UPDATE_GOLDEN=1 rewrites it`);
}
