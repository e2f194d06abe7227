// Which package a bundled file belongs to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageFolder } from './licences.ts';

test('the package of a file is the last one in its path, with its scope', () => {
  assert.equal(packageFolder('node_modules/yaml/dist/index.js'), 'node_modules/yaml');
  assert.equal(packageFolder('node_modules/@grpc/grpc-js/src/a.js'), 'node_modules/@grpc/grpc-js');
  assert.equal(packageFolder('node_modules/a/node_modules/@b/c/d.js'), 'node_modules/a/node_modules/@b/c');
  assert.equal(packageFolder('cli/main.ts'), undefined);
});
