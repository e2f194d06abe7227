// What is generated and committed is as the code would generate it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatedFiles, staleFiles } from './generate.ts';

test('generated files are up to date; `npm run generate` makes them so', async () => {
  assert.deepEqual(await staleFiles(await generatedFiles()), []);
});
