// `npm run build`, last step: the JavaScript that ships. cli/main.ts → dist/sonde.js, each gadget → dist/gadgets/<name>/gadget.js, agent/main.ts
// → dist/agent.js, operator/main.ts → dist/operator.js; what they are made of → dist/LICENSES.txt. Shared code lies in dist/chunk-*.js: in dist itself, because files look for their neighbours beside themselves.

import { globSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type OutputFile, type Plugin } from 'esbuild';
import { licences } from './licences.ts';
import { buildReport } from './report.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Makes dist/sonde.js a shell script first: it runs itself by the Node that the project pins, whatever Node is in $PATH, and a symbolic
 *  link to it works, whose name it passes on. To JavaScript the second line is a string and a comment. */
const launcher = [
  '#!/bin/sh',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not JavaScript's
  '":" //; f=$(readlink -f "$0"); n="${f%/dist/*}/node_modules/node/bin/node"; [ -x "$n" ] || n=node; SONDE_CALLED="${0##*/}" exec "$n" "$f" "$@"',
  '',
].join('\n');

/** Entry points by their name in dist; gadgets are found by their folders. */
function entryPoints(): Record<string, string> {
  const entries: Record<string, string> = { sonde: join(root, 'cli/main.ts') };
  for (const path of globSync('bpf/gadgets/*/gadget.ts', { cwd: root })) {
    entries[relative('bpf', dirname(path)).concat('/gadget')] = join(root, path);
  }
  for (const path of globSync('{agent,operator}/main.ts', { cwd: root }))
    entries[dirname(path)] = join(root, path);
  // Threads: the operator's, and one that writes what programs print.
  entries.compose = join(root, 'operator/compose.ts');
  entries['program-worker'] = join(root, 'agent/program-worker.ts');
  return entries;
}

/** zod's messages in forty languages, of which it uses English by itself: 230 kB that every start of the command line would read. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/node_modules/zod/') ? { path: 'locales', namespace: 'none' } : undefined,
    );
    onLoad({ filter: /^/, namespace: 'none' }, () => ({ contents: 'export {}' }));
  },
};

/** Bundles and writes what has changed; removes what is no longer made. Gives a note for the progress line. */
export async function buildBundles(): Promise<string> {
  const report = await buildReport();
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const { outputFiles, metafile } = await build({
    entryPoints: entryPoints(),
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    outdir: dist,
    chunkNames: 'chunk-[hash]',
    write: false,
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    // Names stay: a stack in a bug report can be read.
    keepNames: false,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [withoutLocales],
    define: { SONDE_VERSION: JSON.stringify(version) },
    // Packages in CommonJS call require for Node's own modules.
    banner: {
      js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);",
    },
  });
  let written = 0;
  for (const file of outputFiles) if (await writeIfChanged(file)) written++;
  if (await writeIfChanged({ path: join(dist, 'LICENSES.txt'), text: await licences(metafile.inputs) }))
    written++;
  await removeOthers(new Set(outputFiles.map(({ path }) => path)));
  await chmod(join(dist, 'sonde.js'), 0o755);
  const kilobytes = Math.round(outputFiles.reduce((sum, { contents }) => sum + contents.length, 0) / 1000);
  const note = `${outputFiles.length} files, ${kilobytes} kB; report ${report}`;
  return written === 0 ? `${note}; up to date` : note;
}

/** Whole or not at all: a test may be running what is replaced. The command line's entry can be executed by itself. */
async function writeIfChanged({ path, text }: Pick<OutputFile, 'path' | 'text'>): Promise<boolean> {
  const wanted = path === join(dist, 'sonde.js') ? launcher + text : text;
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === wanted) return false;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, wanted);
  await rename(draft, path);
  return true;
}

/** Chunks of an earlier build, and gadgets that were renamed. */
async function removeOthers(made: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(dist)) {
    const path = join(dist, name);
    if (/^chunk-[A-Z0-9]+\.js$/.test(name) && !made.has(path)) await rm(path, { force: true });
  }
  for (const path of globSync(join(dist, 'gadgets/*/gadget.js'))) {
    if (!made.has(path)) await rm(dirname(path), { recursive: true, force: true });
  }
}

if (import.meta.main) process.stderr.write(`${await buildBundles()}\n`);
