import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gadgetNames, loadGadget, loadGadgets } from './registry.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const zod = import.meta.resolve('zod');

/** A folder of gadgets, each a module's text with `Z` for zod. */
function folderOf(modules: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-gadgets-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(modules)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'gadget.js'), `import { z } from ${JSON.stringify(zod)};\n${text}`);
  }
  return folder;
}

const valid = (name: string, changes = ''): string => `
const gadget = {
  name: '${name}', aliases: [], area: 'cpu', summary: 's', description: 'd', sees: 'pod', subject: 'current', capabilities: [],
  parameters: z.object({ size: z.int().default(1).describe('Size') }),
  source: () => ({ kind: 'table', map: 'm', shape: { kind: 'table', keys: [],
    values: [{ name: 'sleptNs', unit: 'ns', type: 'integer', fold: 'sum', description: 'Slept' }], sort: 'sleptNs' } }),
  programs: () => [[[{ program: 'p' }]]], knobs: () => ({}),
};
${changes}
export default gadget;`;

test('every gadget of the catalogue keeps the contract, and is found by its name, its YAML name and its aliases', async () => {
  for (const { name, aliases } of await loadGadgets()) {
    const camelCase = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    for (const asked of [name, camelCase, ...aliases]) assert.equal((await loadGadget(asked)).name, name);
  }
  assert.ok(gadgetNames().length >= 3);
});

test('a gadget is found by its folder alone: no other module is imported', async () => {
  const folder = folderOf({ good: valid('good'), broken: 'throw new Error("imported")' });
  assert.equal((await loadGadget('good', { folder })).name, 'good');
  await assert.rejects(loadGadgets({ folder }), /imported/);
});

test('an unknown name is answered with the nearest, or with where the names are', async () => {
  const folder = folderOf({ 'open-files': valid('open-files', "gadget.aliases = ['opensnoop'];") });
  await assert.rejects(loadGadget('open-flies', { folder }), /did you mean open-files\?/);
  await assert.rejects(loadGadget('opensnop', { folder }), /did you mean opensnoop\?/);
  await assert.rejects(loadGadget('\u001b[31m', { folder }), /"\\u001b\[31m": `sonde gadgets` lists them/);
  await assert.rejects(loadGadget('../open-files', { folder }), { name: 'GadgetUnknown' });
});

const faults: [string, string, RegExp][] = [
  ['another name than its folder', "gadget.name = 'other';", /its name is other, its folder's odd/],
  [
    'a parameter without a default',
    'gadget.parameters = z.object({ a: z.int().describe("A") });',
    /a has no default/,
  ],
  [
    'a parameter without a description',
    'gadget.parameters = z.object({ a: z.int().default(1) });',
    /a has no description/,
  ],
  [
    'a column without its unit in its name',
    "const made = gadget.source(); made.shape.values[0].name = 'slept'; gadget.source = () => made;",
    /column slept does not end with its unit, Ns/,
  ],
  ['an alias that is no word', "gadget.aliases = ['Odd One'];", /alias Odd One is not kebab-case/],
  ['no program', 'gadget.programs = () => [];', /attaches no program/],
];

for (const [what, changes, message] of faults) {
  test(`a gadget with ${what} is refused with its path`, async () => {
    const folder = folderOf({ odd: valid('odd', changes) });
    await assert.rejects(loadGadgets({ folder }), (error: Error) => {
      assert.equal(error.name, 'GadgetInvalid');
      assert.match(error.message, /odd\/gadget\.js/);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('two gadgets with one alias are refused', async () => {
  const alias = "gadget.aliases = ['same'];";
  const folder = folderOf({ one: valid('one', alias), two: valid('two', alias) });
  await assert.rejects(loadGadgets({ folder }), /two\/gadget\.js: alias same is taken by one/);
});
