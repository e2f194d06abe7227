// What a person types into a flame graph's search box, as a pattern. Shared by the report and the script of flamegraph.svg.

/** A search as typed: a regular expression, or the text itself where it is none. Case matters only if a capital was typed. */
export function searchPattern(text: string): RegExp | undefined {
  if (text === '') return undefined;
  const flags = /[A-Z]/.test(text) ? 'u' : 'iu';
  try {
    return new RegExp(text, flags);
  } catch {
    return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), flags.replace('u', ''));
  }
}
