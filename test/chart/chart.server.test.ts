// The chart as Helm renders it: what it makes of values, what it refuses and how that reads, and that it agrees with the code. UPDATE_GOLDEN=1 writes
// testdata/*.golden.yaml anew. Neighbours: charts/sonde, test/cluster/chart.cluster.test.ts (installs it).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { loadGadgets } from '../../bpf/registry.ts';
import { goTool } from '../../build/tools.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const chart = join(root, 'charts/sonde');
const testdata = join(import.meta.dirname, 'testdata');
const helm = await goTool('helm');
// Helm built from its module takes an old version for the cluster's.
const release = ['--namespace', 'sonde-system', '--kube-version', '1.36.0'];

interface Manifest {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string>; labels?: Record<string, string> };
  spec: {
    template: {
      spec: { containers: { securityContext: { capabilities: { add: string[]; drop: string[] } } }[] };
    };
  };
}

const render = async (...args: string[]): Promise<string> =>
  (await run(helm, ['template', 'sonde', chart, ...release, ...args], { maxBuffer: 16 << 20 })).stdout;

const manifests = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);

/** What Helm says when it refuses. */
async function refusal(...args: string[]): Promise<string> {
  try {
    await render(...args);
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  return 'it was taken';
}

test('helm lint has nothing to say', async () => {
  for (const values of ['default', 'bucket', 'claim', 'stopped']) {
    const file = join(testdata, `${values}.values.yaml`);
    const { stdout } = await run(helm, ['lint', chart, '--strict', ...release, '--values', file]);
    assert.match(stdout, /1 chart\(s\) linted, 0 chart\(s\) failed/);
    assert.doesNotMatch(stdout, /WARNING|ERROR/);
  }
});

for (const values of ['default', 'bucket', 'claim', 'stopped']) {
  test(`values ${values}: the manifests are those of the golden file`, async () => {
    const text = await render('--values', join(testdata, `${values}.values.yaml`));
    // CRDs are compared with the generated ones below.
    const shown = text
      .split(/^---\n/m)
      .filter((part) => part.trim() !== '' && !/^kind: CustomResourceDefinition$/m.test(part))
      .join('---\n');
    const golden = join(testdata, `${values}.golden.yaml`);
    if (process.env.UPDATE_GOLDEN !== undefined) await writeFile(golden, shown);
    assert.equal(shown, await readFile(golden, 'utf8'));
  });
}

test('values that are wrong are refused by name, with what would be right', async () => {
  const refused: [string[], RegExp][] = [
    [
      ['--set', 'agent.maxJobz=3'],
      /agent': additional properties 'maxJobz' not allowed|agent: Additional property maxJobz/,
    ],
    [['--set', 'operator.replicas=lots'], /replicas.*(got string, want integer|Invalid type)/s],
    [
      ['--set', 'agent.extraCapabilities={CAP_SYS_ADMIN}'],
      /extraCapabilities\/0': value must be one of 'SYS_ADMIN', 'NET_ADMIN'/,
    ],
    [['--set', 'agent.maxMemory=lots'], /maxMemory/],
    [['--set', 'operator.image.digest=latest'], /digest/],
    [['--set', 'excludedNamespaces={Payments}'], /excludedNamespaces/],
    [['--set-json', 'stores=[{"name":"default","spec":{"s3":{},"gcs":{}}}]'], /stores/],
    [['--set-json', 'stores=[{"name":"default","spec":{"disk":{}}}]'], /disk/],
    [['--set', 'certificates.certManager.enabled=true'], /issuerRef\.name: name an Issuer/],
    [
      ['--set', 'operator.replicas=2'],
      /a folder belongs to one replica\. Set operator\.replicas=1, or write a bucket/,
    ],
  ];
  for (const [args, wanted] of refused) assert.match(await refusal(...args), wanted);
});

test('every value has a place in the schema, and every place in the schema a value', async () => {
  const values = parse(await readFile(join(chart, 'values.yaml'), 'utf8'));
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8'));
  const compare = (path: string, schemaNow: Schema, valuesNow: unknown): void => {
    if (schemaNow.properties === undefined) return;
    assert.equal(schemaNow.additionalProperties, false, `${path} takes what nobody knows`);
    // Helm's own, and what has nothing that it is by default.
    const optional = path === '' ? ['global'] : /seLinuxOptions|resources/.test(path) ? null : [];
    if (optional === null) return;
    const known = Object.keys(schemaNow.properties).filter((name) => !optional.includes(name));
    assert.deepEqual(known.sort(), Object.keys(valuesNow as object).sort(), path);
    for (const name of known) {
      const next = schemaNow.properties[name] as Schema;
      compare(`${path}.${name}`, next, (valuesNow as Record<string, unknown>)[name]);
    }
  };
  compare('', schema, values);
});

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
}

test('CRDs are the generated ones, and stay when the chart goes', async () => {
  const rendered = manifests(await render()).filter(({ kind }) => kind === 'CustomResourceDefinition');
  const folder = join(root, 'crds/generated');
  const generated = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  assert.equal(rendered.length, generated.length);
  for (const file of generated) {
    const wanted: Manifest = parse(await readFile(join(folder, file), 'utf8'));
    const found = rendered.find(({ metadata }) => metadata.name === wanted.metadata.name);
    assert.equal(found?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    assert.deepEqual(found?.spec, wanted.spec);
  }
});

test('agents have the capabilities that gadgets name, those for packets and names of the kernel, and no other', async () => {
  // Entering pods' network namespaces is for who says so: agent.extraCapabilities.
  const named = (await loadGadgets())
    .flatMap(({ capabilities }) => [...capabilities])
    .filter((name) => name !== 'SYS_ADMIN');
  const daemonSet = manifests(await render()).find(({ kind }) => kind === 'DaemonSet');
  const { capabilities } = daemonSet?.spec.template.spec.containers[0]?.securityContext ?? {};
  assert.deepEqual(capabilities?.drop, ['ALL']);
  assert.deepEqual(
    [...(capabilities?.add ?? [])].sort(),
    [...new Set([...named, 'NET_RAW', 'SYSLOG'])].sort(),
  );
});

test('the chart is of the version that the program is of', async () => {
  const { version, appVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'));
  const program = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  assert.deepEqual([version, appVersion], [program.version, program.version]);
});

test('a template is one object', async () => {
  for (const entry of await readdir(join(chart, 'templates'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !path.endsWith('.yaml')) continue;
    const kinds = (await readFile(path, 'utf8')).match(/^kind: /gm) ?? [];
    assert.ok(kinds.length <= 1, `${relative(chart, path)} has ${kinds.length}`);
  }
});
