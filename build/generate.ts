// `npm run generate`: writes what is generated from the code and committed: CRDs, pages of docs/. With --check it writes nothing and fails when a
// file would change. Each part exports a function that gives its files; they are listed here.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gadgetsPage } from '../bpf/gadgets-page.ts';
import { loadGadgets } from '../bpf/registry.ts';
import { errorsPage } from '../cli/errors-page.ts';
import { apiPage } from '../crds/api-page.ts';
import { crdManifests } from '../crds/manifest.ts';
import { programsPage } from '../programs/programs-page.ts';
import { resultPages } from '../results/schema-page.ts';
import { crdTemplates } from './chart.ts';
import { agentGadgets, agentProto } from './proto.ts';

const root = join(import.meta.dirname, '..');

/** A generated file: its path from the repository's root, and its text, which begins with a line that says what it was generated from. */
export interface GeneratedFile {
  path: string;
  text: string;
}

/** Every generated file as the code is now. */
export async function generatedFiles(): Promise<GeneratedFile[]> {
  const gadgets = await loadGadgets();
  const agent = [agentProto(), agentGadgets(gadgets)];
  const crds = crdManifests(gadgets);
  const pages = [gadgetsPage(gadgets), apiPage(gadgets), ...resultPages(), errorsPage(), programsPage()];
  return [...crds, ...crdTemplates(crds), ...pages, ...agent];
}

/** The paths of the files that are not as the code would have them. */
export async function staleFiles(files: readonly GeneratedFile[]): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, text } of files) {
    const before = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (before !== text) stale.push(path);
  }
  return stale;
}

async function generate(check: boolean): Promise<void> {
  const files = await generatedFiles();
  const stale = await staleFiles(files);
  if (check && stale.length > 0) {
    process.stderr.write(
      `These files are not as the code would generate them; run \`npm run generate\` and commit them:\n  ${stale.join('\n  ')}\n`,
    );
    process.exitCode = 1;
    return;
  }
  for (const { path, text } of files) {
    if (!stale.includes(path)) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const done = stale.length === 0 ? 'all up to date' : `wrote ${stale.join(', ')}`;
  process.stderr.write(`${files.length} generated files: ${done}\n`);
}

if (import.meta.main) await generate(process.argv.includes('--check'));
