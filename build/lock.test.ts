// package-lock.json is whole: `npm ci` refuses one that lacks a package of any platform, and a fresh clone begins with it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Lock {
  packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
}

const root = join(import.meta.dirname, '..');
const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('the lock has each optional dependency of each package, those of other platforms too', () => {
  const { packages }: Lock = read('package-lock.json');
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !packages[`node_modules/${name}`] && !packages[`${place}/node_modules/${name}`])
      .map((name) => `${name} of ${place}`),
  );
  assert.deepEqual(missing, [], 'pin a version whose packages the registry has for all platforms');
});

test('the lock has the versions that package.json pins', () => {
  const { packages }: Lock = read('package-lock.json');
  const { dependencies, devDependencies } = read('package.json');
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
});
