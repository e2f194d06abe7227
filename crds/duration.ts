// Durations as Kubernetes and Go write them (60s, 1m30s, 500ms), exact to the nanosecond. Beside it: crds/quantity.ts. Read by crds/trace-job.ts and the CLI's --duration.

/** An exact length of time, and the words it was given in. */
export interface Duration {
  text: string;
  nanoseconds: bigint;
}

/** What is wrong with a value, for the person who wrote it. */
export interface Wrong {
  wrong: string;
}

const nanosecondsPer: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** The grammar, for the API server and for documentation. */
export const durationPattern = '^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$';

const part = /([0-9]+)(?:\.([0-9]+))?(ns|us|µs|μs|ms|s|m|h)/gy;
/** Longer than any duration a person writes; keeps hostile input from costing anything. */
const longest = 64;

/** Reads a duration. Fractions finer than a nanosecond are refused, not rounded. */
export function parseDuration(input: unknown): Duration | Wrong {
  if (typeof input === 'number' || typeof input === 'bigint') {
    return { wrong: `${input} is a number without a unit; write ${input}s for seconds` };
  }
  if (typeof input !== 'string') return { wrong: 'not a duration; write one like 60s, 1m30s or 500ms' };
  const text = input.trim();
  if (text === '') return { wrong: 'an empty duration; write one like 60s, 1m30s or 500ms' };
  if (text.length > longest)
    return { wrong: `longer than ${longest} characters; write one like 60s or 1m30s` };
  if (/^[0-9]+$/.test(text))
    return { wrong: `${text} is a number without a unit; write ${text}s for seconds` };
  if (/^-/.test(text)) return { wrong: `${JSON.stringify(text)} is negative; write one like 60s` };
  let nanoseconds = 0n;
  let end = 0;
  part.lastIndex = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const [, whole = '0', fraction = '', unit = ''] = match;
    const per = nanosecondsPer[unit] ?? 0n;
    const scale = 10n ** BigInt(fraction.length);
    const scaled = BigInt(whole + fraction) * per;
    if (scaled % scale !== 0n) return { wrong: `${JSON.stringify(text)} is finer than a nanosecond` };
    nanoseconds += scaled / scale;
    end = part.lastIndex;
  }
  if (end !== text.length) return { wrong: unreadable(text) };
  return { text, nanoseconds };
}

function unreadable(text: string): string {
  const days = /^([0-9]+) ?(d|days?)$/.exec(text);
  if (days)
    return `${JSON.stringify(text)}: days are not a unit of durations; write ${Number(days[1]) * 24}h`;
  const spelled = /^([0-9]+) *(sec|secs|seconds?|min|mins|minutes?|hours?|hrs?)$/i.exec(text);
  if (spelled)
    return `${JSON.stringify(text)} is not a duration; write ${spelled[1]}${spelled[2]?.[0]?.toLowerCase()}`;
  return `${JSON.stringify(text)} is not a duration; write one like 60s, 1m30s or 500ms (units: ns, us, ms, s, m, h)`;
}

/** Milliseconds, for timers. */
export function milliseconds(duration: Duration): number {
  return Number(duration.nanoseconds) / 1e6;
}

/** The shortest spelling of a whole number of seconds: 90 → 1m30s. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  const text = `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`;
  return text === '' ? '0s' : text;
}
