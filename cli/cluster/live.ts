// Follows a job on stderr until it rests: on a terminal one line redrawn in place, on a pipe a line for each change. Neighbours: cli/cluster/jobs.ts
// (the changes), cli/cluster/words.ts (what is said), cli/progress.ts (the same for one machine).

import { CliError } from '../errors.ts';
import type { Screen } from '../progress.ts';
import type { Api } from './api.ts';
import { type JobRef, type JobView, restOf, shortName, viewOf } from './job.ts';
import { followJob } from './jobs.ts';
import { news, statusLine } from './words.ts';

export interface Live {
  /** A line that stays, above what is redrawn. */
  say(line: string): void;
  show(job: JobView): void;
  /** Ends redrawing; the last state stays as a line. */
  end(): void;
}

export function startLive(screen: Screen, now: () => number = Date.now): Live {
  const clear = screen.isTTY ? '\r\x1b[K' : '';
  let shown: JobView | undefined;
  let last = '';
  const fit = (text: string) =>
    text.length < screen.columns ? text : text.slice(0, Math.max(0, screen.columns - 1));
  const draw = () => {
    if (shown !== undefined && screen.isTTY) screen.write(`${clear}${fit(statusLine(shown, now()))}`);
  };
  const timer = screen.isTTY ? setInterval(draw, 250) : undefined;
  timer?.unref();
  return {
    say(line) {
      screen.write(`${clear}${line}\n`);
      draw();
    },
    show(job) {
      for (const line of news(shown, job)) screen.write(`${clear}${line}\n`);
      shown = job;
      const text = statusLine(job, now());
      if (!screen.isTTY && text !== last && job.phase !== '') screen.write(`${text}\n`);
      last = text;
      draw();
    },
    end() {
      clearInterval(timer);
      if (shown !== undefined && screen.isTTY) screen.write(`${clear}${fit(statusLine(shown, now()))}\n`);
      shown = undefined;
    },
  };
}

/** stderr, as wide as it is at the moment. */
export function stderrScreen(): Screen {
  const { stderr } = process;
  return {
    write: (text) => void stderr.write(text),
    isTTY: stderr.isTTY === true,
    get columns() {
      // 0 where a terminal does not know.
      return stderr.columns || 80;
    },
  };
}

export interface Following {
  live: Live;
  signal?: AbortSignal;
  /** Each state as the API server gave it. */
  each?: (job: unknown) => void;
  /** Said where nobody has taken the job up after so long, ms. Default 10 s. */
  silenceMs?: number;
}

/** The job at rest: complete, failed, or stopped before it began. Throws CliError JobDeleted, and what following throws. */
export async function followToEnd(
  api: Api,
  ref: JobRef,
  { live, signal, each, silenceMs = 10_000 }: Following,
): Promise<JobView> {
  let latest: JobView | undefined;
  const silence = setTimeout(() => {
    if (latest?.phase === '')
      live.say(
        'no operator has taken the job up yet: is sonde-operator running? kubectl -n sonde-system get deployment sonde-operator',
      );
  }, silenceMs);
  const options = { say: live.say, ...(signal === undefined ? {} : { signal }) };
  try {
    for await (const object of followJob(api, ref, options)) {
      if (object === undefined)
        throw new CliError('JobDeleted', `${shortName(ref)} was deleted while it was followed`);
      latest = viewOf(object);
      live.show(latest);
      each?.(object);
      if (restOf(latest) !== undefined) return latest;
    }
    throw new CliError('ApiFailed', `following ${shortName(ref)} ended before the job did`);
  } finally {
    clearTimeout(silence);
  }
}
