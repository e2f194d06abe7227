// A test file that never ends, for test/files.test.ts.
import { test } from 'node:test';

test('passes and leaves a timer', () => {
  setInterval(() => {}, 1000);
});
