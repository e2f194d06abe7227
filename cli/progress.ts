// What is said on stderr while a job runs. The words are pure; startProgress redraws them in place on a terminal, and prints plain lines on a pipe.
// Neighbours: cli/run.ts, agent/session.ts (Progress).

import type { Progress } from '../agent/session.ts';
import { escapeTerminal } from '../results/escape.ts';
import { formatAmount, formatCount } from '../results/units.ts';

export interface Moment {
  progress: Progress;
  elapsedMs: number;
  /** Absent: until the command ends or somebody stops it. */
  durationMs?: number;
}

/** Said once, when probes are attached. */
export function attachedLines(about: {
  trace: string;
  hooks: readonly { program: string; hook: string }[];
  scope: readonly string[];
  startupMs: number;
  durationMs?: number;
}): string[] {
  const hooks = [...new Set(about.hooks.map(({ hook }) => hook))];
  const shown = hooks.slice(0, 4).join(', ') + (hooks.length > 4 ? ` and ${hooks.length - 4} more` : '');
  const scope = about.scope.slice(0, 4).map((name) => escapeTerminal(name, 60));
  const more = about.scope.length > 4 ? ` and ${about.scope.length - 4} more` : '';
  const until = about.durationMs === undefined ? 'until it ends' : `for ${seconds(about.durationMs)}`;
  return [
    `attached ${about.trace} (${escapeTerminal(shown, 200)}) after ${Math.round(about.startupMs)} ms`,
    `tracing ${scope.join(', ')}${more} ${until}; Ctrl-C ends it early and keeps the result`,
  ];
}

/** `12,345 recorded, 0 lost, cost 0.8% of one CPU, 24 MiB`. */
export function countsOf({ progress, elapsedMs }: Moment): string {
  const { recorded, lost, sampledBy, programsCpuNs, agentCpuNs, memoryBytes } = progress;
  const sampled = sampledBy > 1 ? ` (1 of ${formatCount(sampledBy)})` : '';
  const spent = Number(programsCpuNs + agentCpuNs) / 1e6;
  const share = elapsedMs > 0 ? (spent / elapsedMs) * 100 : 0;
  const percent = share < 10 ? share.toFixed(1) : Math.round(share).toString();
  return [
    `${formatCount(recorded)} recorded${sampled}`,
    `${formatCount(lost)} lost`,
    `cost ${percent}% of a CPU`,
    formatAmount(memoryBytes, 'bytes'),
  ].join(', ');
}

/** One line with a bar, never wider than the terminal. */
export function barLine(moment: Moment, columns: number): string {
  const { elapsedMs, durationMs } = moment;
  const counts = countsOf(moment);
  if (durationMs === undefined) return fit(`${seconds(elapsedMs)}  ${counts}`, columns);
  const left = `${seconds(Math.max(0, durationMs - elapsedMs))} left`;
  const room = Math.min(30, columns - counts.length - left.length - 6);
  if (room < 8) return fit(`${left}  ${counts}`, columns);
  const done = Math.min(room, Math.round((elapsedMs / durationMs) * room));
  return fit(`[${'#'.repeat(done)}${'.'.repeat(room - done)}] ${left}  ${counts}`, columns);
}

/** The same for a pipe: no bar. */
export function plainLine(moment: Moment): string {
  const { elapsedMs, durationMs } = moment;
  const time =
    durationMs === undefined ? seconds(elapsedMs) : `${seconds(elapsedMs)} of ${seconds(durationMs)}`;
  return `${time}: ${countsOf(moment)}`;
}

/** The last one: how long it was, whatever was planned. */
export function endLine(moment: Moment): string {
  return `ended after ${seconds(moment.elapsedMs)}: ${countsOf(moment)}`;
}

function seconds(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function fit(line: string, columns: number): string {
  return line.length < columns ? line : line.slice(0, Math.max(0, columns - 1));
}

export interface ProgressDisplay {
  /** A line that stays, above what is redrawn. */
  say(line: string): void;
  /** Ends redrawing; the last state stays as a line. */
  end(): void;
}

export interface Screen {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
}

/** `Line`: redrawn in place. `Plain`: lines every few seconds. `Quiet`: none, because the traced command writes to the same terminal. */
export type Style = 'Line' | 'Plain' | 'Quiet';

/** Shows `look()` until ended. */
export function startProgress(screen: Screen, style: Style, look: () => Moment): ProgressDisplay {
  const clear = style === 'Line' ? '\r\x1b[K' : '';
  const draw = () => {
    if (style === 'Line') screen.write(`${clear}${barLine(look(), screen.columns)}`);
    else screen.write(`${plainLine(look())}\n`);
  };
  const everyMs = style === 'Line' ? 250 : 5000;
  const timer = style === 'Quiet' ? undefined : setInterval(draw, everyMs);
  if (style === 'Line') draw();
  return {
    say(line) {
      screen.write(`${clear}${line}\n`);
      if (style === 'Line') draw();
    },
    end() {
      clearInterval(timer);
      screen.write(`${clear}${endLine(look())}\n`);
    },
  };
}
