// Bundles the browser code of results/render/browser into dist/report.js, dist/report.css and dist/flamegraph.js, which report.html and
// flamegraph.svg embed. Neighbours: results/render/assets.ts reads them.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const source = join(root, 'results/render/browser');

/** Bundles and writes what has changed. Gives the sizes. */
export async function buildReport(): Promise<string> {
  const result = await build({
    entryPoints: {
      report: join(source, 'main.ts'),
      'report-style': join(source, 'report.css'),
      flamegraph: join(source, 'flamegraph.ts'),
    },
    bundle: true,
    minify: true,
    write: false,
    outdir: join(root, 'dist'),
    format: 'iife',
    platform: 'browser',
    // From 2023: what every browser that still gets security updates can do.
    target: ['es2022', 'chrome110', 'firefox115', 'safari16'],
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const sizes = [];
  for (const { path, text } of result.outputFiles) {
    const file = path.replace('report-style.css', 'report.css');
    // `</script` and `]]>` would end what the text is embedded in.
    if (/<\/(script|style)|\]\]>/i.test(text))
      throw new Error(`${file} holds a closing tag; split it in the source`);
    await writeIfChanged(file, text);
    sizes.push(`${(text.length / 1000).toFixed(0)} kB`);
  }
  return sizes.join(' + ');
}

/** Whole or not at all: tests and other builds may be reading it. */
async function writeIfChanged(file: string, text: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === text) return;
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, file);
}

if (import.meta.main) process.stderr.write(`${await buildReport()}\n`);
