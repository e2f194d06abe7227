// The CRDs: structural, described, small; and what they say is what the schemas say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { crdManifests, maxManifestBytes } from './manifest.ts';
import { type Json, structuralSchema } from './structural.ts';
import { gadgets } from './testdata/gadgets.ts';

type Schema = Record<string, Json>;
const at = (value: Json | undefined, path: string): Schema => {
  let here = value;
  for (const step of path.split('.')) here = (here as Schema | undefined)?.[step];
  return here as Schema;
};
const root = (text: string): Json => parse(text).spec.versions[0].schema.openAPIV3Schema;

test('each kind has a CRD, with short name, columns and a status of its own', () => {
  const manifests = crdManifests(gadgets);
  assert.deepEqual(
    manifests.map((manifest) => manifest.path),
    [
      'crds/generated/sonde.dev_tracejobs.yaml',
      'crds/generated/sonde.dev_clustertracejobs.yaml',
      'crds/generated/sonde.dev_tracestores.yaml',
      'crds/generated/sonde.dev_clustertracestores.yaml',
      'crds/generated/sonde.dev_traceartifacts.yaml',
      'crds/generated/sonde.dev_clustertraceartifacts.yaml',
    ],
  );
  const { spec } = parse(manifests[0]?.text ?? '');
  assert.deepEqual(spec.names.shortNames, ['tj']);
  assert.deepEqual(spec.versions[0].subresources, { status: {} });
  const names = spec.versions[0].additionalPrinterColumns.map((column: { name: string }) => column.name);
  assert.deepEqual(names, ['Trace', 'Phase', 'Pods', 'Nodes', 'Headline', 'Lost', 'Age']);
  const shortNames = manifests.map(({ text }) => parse(text).spec.names.shortNames.join());
  assert.deepEqual(shortNames, ['tj', 'ctj', 'ts', 'cts', 'ta', 'cta']);
});

test('the schema is structural: one type everywhere, nothing that the API server refuses', () => {
  const forbidden = [
    '$ref',
    'anyOf',
    'oneOf',
    'allOf',
    'not',
    'const',
    'propertyNames',
    'prefixItems',
    '$schema',
  ];
  const visit = (schema: Schema, path: string): void => {
    for (const word of forbidden) assert.ok(!(word in schema), `${path} has ${word}`);
    assert.notEqual(schema.additionalProperties, false, path);
    const intOrString = schema['x-kubernetes-int-or-string'] === true;
    assert.equal(typeof schema.type === 'string', !intOrString, `${path} needs one type`);
    for (const [name, property] of Object.entries((schema.properties ?? {}) as Schema)) {
      const under = property as Schema;
      assert.ok(path === '' || typeof under.description === 'string', `${path}.${name} has no description`);
      visit(under, `${path}.${name}`);
    }
    if (schema.items) visit(schema.items as Schema, `${path}[]`);
    if (typeof schema.additionalProperties === 'object')
      visit(schema.additionalProperties as Schema, `${path}.*`);
  };
  for (const { text } of crdManifests(gadgets)) visit(root(text) as Schema, '');
});

test('a gadget is one member of the union, with its defaults and ranges', () => {
  const trace = at(root(crdManifests(gadgets)[0]?.text ?? ''), 'properties.spec.properties.trace');
  assert.deepEqual(trace['x-kubernetes-validations'], [
    {
      rule: '[has(self.cpuProfile), has(self.openFiles), has(self.program)].filter(given, given).size() == 1',
      message:
        'name exactly one gadget, for example {cpuProfile: {}}; a job traces with exactly one: write a job for each',
    },
  ]);
  assert.deepEqual(Object.keys(trace.properties as Schema), ['cpuProfile', 'openFiles', 'program']);
  assert.deepEqual(at(trace, 'properties.cpuProfile.properties.frequencyHz'), {
    type: 'integer',
    format: 'int64',
    description: 'Samples per second and CPU.',
    default: 99,
    minimum: 1,
    maximum: 999,
  });
  assert.equal(at(trace, 'properties.openFiles.properties.minimumNs').exclusiveMinimum, true);
});

test('durations and quantities are checked by the API server too', () => {
  const spec = at(root(crdManifests(gadgets)[0]?.text ?? ''), 'properties.spec.properties');
  assert.equal(spec.duration && at(spec, 'duration').type, 'string');
  assert.match(JSON.stringify(at(spec, 'duration')['x-kubernetes-validations']), /duration\('86400s'\)/);
  assert.equal(at(spec, 'budget.properties.cpu')['x-kubernetes-int-or-string'], true);
});

test('texts that YAML 1.1 takes for something else are quoted, since Helm reads that', () => {
  const parameters = z.strictObject({
    time: z.enum(['On', 'Off', 'yes', '0o7', '1:30']).default('On').describe('Which.'),
  });
  const [{ text } = assert.fail()] = crdManifests([{ name: 'cpu-time', summary: 'Time.', parameters }]);
  const { schema } = parse(text, { version: '1.1' }).spec.versions[0];
  const trace = at(schema.openAPIV3Schema, 'properties.spec.properties.trace');
  const time = at(trace, 'properties.cpuTime.properties.time');
  assert.deepEqual([time.default, time.enum], ['On', ['On', 'Off', 'yes', '0o7', '1:30']]);
});

test('a job without a duration ends after a minute in a cluster', () => {
  for (const { text } of crdManifests(gadgets).slice(0, 2))
    assert.equal(at(root(text), 'properties.spec.properties.duration').default, '60s');
});

test('a hundred gadgets still fit into a CRD that client-side apply can store', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({
    ...gadgets[0],
    ...gadgets[i % 2],
    name: `gadget-number-${i}`,
  }));
  for (const { text, path } of crdManifests(many as typeof gadgets)) {
    assert.ok(text.length < maxManifestBytes, `${path}: ${text.length} bytes`);
  }
});

test('what a CRD can not say is refused with its path', () => {
  const refused = (field: z.ZodType) => () => structuralSchema(z.object({ field }).describe('x'), 'spec');
  assert.throws(refused(z.string()), /spec\.field has no description/);
  assert.throws(refused(z.union([z.string(), z.int()]).describe('x')), /spec\.field.*union/);
  assert.throws(refused(z.tuple([z.string()]).describe('x')), /spec\.field/);
});
