// Reads the corpus of the differential test: files of one feature each, in each scripts one after another, `// the name` before each.
// Then, each on a line: `//$ words` are its positional parameters; `//c words` a command of test/workloads to trace, where SCOPE in the script
// says "this command"; `//! differs reason` that bpftrace 0.17 does otherwise than 0.26, and `//> line` what is printed instead;
// `//! todo reason` a difference that is ours. A script without a probe is what `BEGIN` does before it exits.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Script {
  name: string;
  source: string;
  positional: string[];
  command?: string;
  /** What Sonde prints where bpftrace 0.17 is no model. */
  ours?: string;
  todo?: string;
}

export async function readCorpus(): Promise<Map<string, Script[]>> {
  const corpus = new Map<string, Script[]>();
  for (const file of (await readdir(import.meta.dirname)).sort()) {
    if (!file.endsWith('.bt')) continue;
    const text = await readFile(join(import.meta.dirname, file), 'utf8');
    const scripts = text.split(/^\/\/ /m).slice(1);
    corpus.set(file.slice(0, -'.bt'.length), scripts.map(readScript));
  }
  return corpus;
}

const directive = /^\/\/([$c>!]) ?(.*)$/;
const probe = /(^|[\s}])(BEGIN|interval:|tracepoint:|u(ret)?probe:)/;

function readScript(text: string): Script {
  const [name = '', ...lines] = text.split('\n');
  const said = (sign: string): string[] =>
    lines.flatMap((line) => {
      const [, found, rest = ''] = directive.exec(line) ?? [];
      return found === sign ? [rest] : [];
    });
  const body = lines
    .filter((line) => !directive.test(line))
    .join('\n')
    .trim();
  const [command] = said('c');
  const [note = ''] = said('!');
  return {
    name,
    source: probe.test(body) ? body : `BEGIN { ${body} ${/[;}]$/.test(body) ? '' : ';'} exit(); }`,
    positional: said('$').flatMap((words) => words.split(' ')),
    ...(command === undefined ? {} : { command }),
    ...(note.startsWith('differs ') ? { ours: said('>').join('\n') } : {}),
    ...(note.startsWith('todo ') ? { todo: note.slice('todo '.length) } : {}),
  };
}
