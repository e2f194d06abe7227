// `sonde validate -f FILE…`: every problem of every document, with file, line and column. Neighbours: crds/read.ts, cli/job.ts.

import { parseArgs } from 'node:util';
import { loadGadgets } from '../bpf/registry.ts';
import { readManifests } from '../crds/read.ts';
import { CliError, type ExitCode } from './errors.ts';
import { problemLines, readFileText, shownFile } from './job.ts';

export async function validate(args: readonly string[]): Promise<ExitCode> {
  const { files, json } = readArguments(args);
  const catalogue = await loadGadgets();
  const found: object[] = [];
  let problems = 0;
  for (const file of files) {
    for (const document of readManifests(await readFileText(file), catalogue)) {
      problems += document.problems.length;
      const { object } = document;
      const title = object === undefined ? null : `${object.kind}/${object.metadata.name}`;
      found.push({ file, document: document.number, object: title, problems: document.problems });
      if (json) continue;
      const lines =
        title === null ? problemLines(file, document.problems) : [`${shownFile(file)}: ${title} is valid`];
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  return problems === 0 ? 0 : 2;
}

function readArguments(args: readonly string[]): { files: string[]; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { file: { type: 'string', short: 'f', multiple: true }, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    // `-f a.yaml b.yaml`, as a shell's *.yaml makes it, means both.
    const files = [...(values.file ?? []), ...positionals];
    if (files.length === 0) throw new TypeError('no file to check');
    return { files, json: values.json === true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError('BadArguments', message, {
      advice: 'Usage: sonde validate -f FILE… ; - is standard input.',
    });
  }
}
