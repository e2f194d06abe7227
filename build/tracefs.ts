// Mounts tracefs where a fresh machine has none: the demo, the tests and the benchmarks attach to tracepoints. `sonde` itself mounts nothing
// and says what to do (cli/run.ts, cli/doctor.ts).

import { findTracefs } from '../cli/machine.ts';
import { command } from './step.ts';

const place = '/sys/kernel/tracing';

/** Gives what it did, for the progress line. Throws where it may not mount. */
export async function mountTracefs(): Promise<string> {
  const found = findTracefs();
  if (found !== undefined) return `mounted on ${found}`;
  await command(['mount', '-t', 'tracefs', 'tracefs', place]);
  return `mounted now, on ${place}`;
}
