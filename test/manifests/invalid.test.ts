// Our own reader refuses every invalid manifest, with a message that names the field and what to write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadGadgets } from '../../bpf/registry.ts';
import { allKinds } from '../../crds/kinds.ts';
import { readManifests } from '../../crds/read.ts';
import { invalidManifests, says } from './manifests.ts';

const gadgets = await loadGadgets();

for (const { name, text, sonde } of invalidManifests())
  test(`${name} is refused`, () => {
    const said = readManifests(text, gadgets)
      .flatMap(({ problems }) => problems.map(({ path, message }) => `${path}: ${message}`))
      .join('\n');
    assert.ok(says(said, sonde), `expected: ${sonde}\nsaid: ${said}`);
  });

test('one is there for each kind', () => {
  const texts = invalidManifests().map(({ text }) => text);
  for (const kind of allKinds)
    assert.ok(
      texts.some((text) => text.includes(`kind: ${kind}\n`)),
      kind,
    );
});

test('a file may hold several objects, of which each is told by its line', () => {
  const store = 'apiVersion: sonde.dev/v1alpha1\nkind: ClusterTraceStore\nmetadata: {name: default}\nspec:\n';
  const read = readManifests(`${store}  filesystem: {}\n---\n${store}  filesytem: {}\n`, gadgets);
  assert.deepEqual(read[0]?.object?.spec, { filesystem: {} });
  assert.deepEqual(read[1]?.problems[0], {
    path: 'spec.filesytem',
    line: 11,
    column: 3,
    message: 'unknown field; did you mean filesystem?',
  });
});
