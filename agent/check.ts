// Checks of values that came from outside, and the types they then have: the agent ships without a schema library. Neighbours: agent/check-plan.ts,
// agent/wire.ts (say what is expected).

/** What arrived is not what was asked for; `at` names the member. */
export class CheckError extends Error {
  override name = 'CheckError';

  constructor(at: string, expected: string) {
    super(`${at || 'the message'} must be ${expected}`);
  }
}

/** Gives the value as its type, without members that are not known. Throws CheckError. */
export type Check<T> = (value: unknown, at: string) => T;

export const text =
  (most: number, form?: RegExp): Check<string> =>
  (value, at) => {
    if (typeof value !== 'string' || value.length > most || (form !== undefined && !form.test(value)))
      throw new CheckError(
        at,
        form === undefined ? `text of at most ${most} characters` : `text like ${form}`,
      );
    return value;
  };

export const number =
  (least: number, most: number): Check<number> =>
  (value, at) => {
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw new CheckError(at, `a number from ${least} to ${most}`);
    return value;
  };

export const flag: Check<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw new CheckError(at, 'true or false');
  return value;
};

export const oneOf =
  <const T extends string | boolean>(...allowed: T[]): Check<T> =>
  (value, at) => {
    const found = allowed.find((each) => each === value);
    if (found === undefined) throw new CheckError(at, `one of ${allowed.join(', ')}`);
    return found;
  };

export const listOf =
  <T>(item: Check<T>, most: number): Check<T[]> =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > most) throw new CheckError(at, `a list of at most ${most}`);
    return value.map((each: unknown, index) => item(each, `${at}[${index}]`));
  };

export const recordOf =
  <T>(member: Check<T>, most: number, name: Check<string> = text(100)): Check<Record<string, T>> =>
  (value, at) => {
    const entries = Object.entries(object(value, at));
    if (entries.length > most) throw new CheckError(at, `an object of at most ${most} members`);
    return Object.fromEntries(
      entries.map(([key, each]) => [name(key, `${at}'s member`), member(each, `${at}.${key}`)]),
    );
  };

/** Checks for every member; those in `optional` may be absent. */
export function members<T extends object>(
  required: { [K in keyof T as undefined extends T[K] ? never : K]-?: Check<T[K]> },
  optional: { [K in keyof T as undefined extends T[K] ? K : never]-?: Check<Exclude<T[K], undefined>> },
): Check<T> {
  return (value, at) => {
    const given = object(value, at);
    const known: Record<string, unknown> = {};
    const checks = (from: object): [string, Check<unknown>][] => Object.entries(from);
    for (const [name, check] of checks(required)) known[name] = check(given[name], join(at, name));
    for (const [name, check] of checks(optional))
      if (given[name] !== undefined) known[name] = check(given[name], join(at, name));
    return known as T;
  };
}

/** A union by the text of one member. */
export function byKind<T>(kinds: Record<string, Check<T>>): Check<T> {
  return (value, at) => {
    const { kind } = object(value, at);
    const check = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (check === undefined)
      throw new CheckError(join(at, 'kind'), `one of ${Object.keys(kinds).join(', ')}`);
    return check(value, at);
  };
}

export const firstOf =
  <T>(...checks: Check<T>[]): Check<T> =>
  (value, at) => {
    for (const check of checks) {
      try {
        return check(value, at);
      } catch (error) {
        if (!(error instanceof CheckError)) throw error;
      }
    }
    throw new CheckError(at, 'of another type');
  };

export function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new CheckError(at, 'an object');
  return value as Record<string, unknown>;
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
