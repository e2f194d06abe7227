// bench/README.md from the rows: what was measured, on what, and what it shows. Pure.

import type { Row } from './experiment.ts';

export interface Machine {
  kernel: string;
  cpu: string;
  commit: string;
  /** Versions of the peers, by name. */
  versions: Record<string, string>;
}

export interface Measured {
  name: string;
  how: string;
  rows: Row[];
  /** Why there are no rows. */
  failure?: string;
}

/** The page. */
export function benchPage(experiments: Measured[], machine: Machine, rounds: number): string {
  const rows = experiments.flatMap((experiment) => experiment.rows);
  const missed = rows.filter((row) => row.verdict !== 'met');
  const lines = [
    '<!-- Written by `npm run bench`; do not edit. -->',
    '# How fast',
    '',
    `One run of \`npm run bench\` at commit \`${machine.commit}\`: ${rounds} interleaved rounds of each experiment. Each cell is the median of the rounds and, in brackets, the`,
    'interval that holds the true median with 95 %. "Not shown": the limit lies inside the interval.',
    '',
    `Linux ${machine.kernel}, ${machine.cpu}. Peers: ${Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    '| what | at least | measured | |',
    '|---|---|---|---|',
    ...rows.map(rowLine),
  ];
  const failed = experiments.filter((experiment) => experiment.failure !== undefined);
  if (failed.length > 0) {
    lines.push('', '## Not measured', '', ...failed.map(({ name, failure }) => `- ${name}: ${failure}`));
  }
  lines.push('', '## The figures behind', '', '| what | figures |', '|---|---|');
  lines.push(...rows.filter((row) => row.detail !== '').map((row) => `| ${row.what} | ${row.detail} |`));
  if (missed.length > 0) lines.push('', '## Not met', '', ...missed.map(missedLine));
  lines.push('', '## How it is measured', '', ...experiments.map(({ name, how }) => `- ${name}: ${how}`));
  return `${lines.join('\n')}\n`;
}

function rowLine({ what, limit, measured, write, verdict }: Row): string {
  const interval = `${write(measured.median)} [${write(measured.low)} – ${write(measured.high)}]`;
  return `| ${what} | ${limit} | ${interval} | ${verdict === 'met' ? 'met' : `**${verdict}**`} |`;
}

function missedLine({ what, limit, measured, write, verdict, detail }: Row): string {
  const why =
    verdict === 'not shown' ? 'the interval holds the limit' : `the whole interval lies beyond ${limit}`;
  return `- ${what}: ${write(measured.median)} (${why}). ${detail}`;
}
