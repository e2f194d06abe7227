// A test file that fails before its first test, for test/files.test.ts.
throw new Error('broken at its head');
