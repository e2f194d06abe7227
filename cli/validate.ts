// `sonde validate -f FILE…`: every problem of every document, with file, line and column. Neighbours: crds/read.ts, cli/job.ts.

import { parseArgs } from 'node:util';
import { loadGadgets } from '../bpf/registry.ts';
import { type ReadManifest, readManifests } from '../crds/read.ts';
import { type TraceJobSpec, tracedProgram } from '../crds/trace-job.ts';
import { CliError, type ExitCode } from './errors.ts';
import { problemLines, readFileText, shownFile } from './job.ts';

export async function validate(args: readonly string[]): Promise<ExitCode> {
  const { files, json } = readArguments(args);
  const catalogue = await loadGadgets();
  const found: object[] = [];
  let problems = 0;
  for (const file of files) {
    const text = await readFileText(file);
    for (const read of readManifests(text, catalogue)) {
      const document = await withProgram(read);
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

/** With what is wrong with the job's program, where it has one: at the place of its document, for the source's own lines are in the words. */
async function withProgram(document: ReadManifest): Promise<ReadManifest> {
  const { object } = document;
  if (object?.kind !== 'TraceJob' && object?.kind !== 'ClusterTraceJob') return document;
  const program = tracedProgram(object.spec as TraceJobSpec);
  if (program === undefined) return document;
  const { sourceErrors } = await import('../programs/check-source.ts');
  const tenancy = object.kind === 'TraceJob' ? 'pods' : 'node';
  const message = sourceErrors(program.source, { parameters: program.parameters, tenancy });
  if (message === '') return document;
  const path = 'spec.trace.program.source';
  return { number: document.number, problems: [{ path, line: 1, column: 1, message: `\n${message}` }] };
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
