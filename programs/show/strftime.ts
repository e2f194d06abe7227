// Times by strftime(3)'s formats, in the local time zone, and %f for microseconds. Neighbours: agent/program-names.ts, value.ts (Names.time).

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

/** nanoseconds: since the Unix epoch. */
export function strftime(format: string, nanoseconds: bigint): string {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  const microseconds = String((nanoseconds / 1000n) % 1_000_000n).padStart(6, '0');
  return format.replace(/%[EO_-]?([a-zA-Z%+])/g, (whole, letter: string) => {
    if (letter === 'f') return microseconds;
    return fieldOf(letter, date) ?? whole;
  });
}

function fieldOf(letter: string, date: Date): string | undefined {
  const compound = compounds[letter];
  if (compound !== undefined) return strftime(compound, BigInt(date.getTime()) * 1_000_000n);
  return simple[letter]?.(date);
}

const compounds: Record<string, string> = {
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  c: '%a %b %e %H:%M:%S %Y',
  r: '%I:%M:%S %p',
  x: '%m/%d/%y',
};

const two = (value: number): string => String(value).padStart(2, '0');
const blank = (value: number): string => String(value).padStart(2, ' ');
const hour12 = (date: Date): number => date.getHours() % 12 || 12;

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1);
  return Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000);
}

/** Weeks as ISO 8601 counts them: the first has the year's first Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function zoneOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

const simple: Record<string, (date: Date) => string> = {
  '%': () => '%',
  A: (date) => days[date.getDay()] ?? '',
  B: (date) => months[date.getMonth()] ?? '',
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  G: (date) => String(isoWeek(date).year),
  H: (date) => two(date.getHours()),
  I: (date) => two(hour12(date)),
  M: (date) => two(date.getMinutes()),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  S: (date) => two(date.getSeconds()),
  U: (date) => two(Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7)),
  V: (date) => two(isoWeek(date).week),
  W: (date) => two(Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7)),
  Y: (date) => String(date.getFullYear()),
  Z: (date) =>
    new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
      .formatToParts(date)
      .find(({ type }) => type === 'timeZoneName')?.value ?? '',
  a: (date) => (days[date.getDay()] ?? '').slice(0, 3),
  b: (date) => (months[date.getMonth()] ?? '').slice(0, 3),
  d: (date) => two(date.getDate()),
  e: (date) => blank(date.getDate()),
  g: (date) => two(isoWeek(date).year % 100),
  h: (date) => (months[date.getMonth()] ?? '').slice(0, 3),
  j: (date) => String(dayOfYear(date) + 1).padStart(3, '0'),
  k: (date) => blank(date.getHours()),
  l: (date) => blank(hour12(date)),
  m: (date) => two(date.getMonth() + 1),
  n: () => '\n',
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  t: () => '\t',
  u: (date) => String(date.getDay() || 7),
  w: (date) => String(date.getDay()),
  y: (date) => two(date.getFullYear() % 100),
  z: zoneOffset,
};
