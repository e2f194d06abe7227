// The name that somebody probably meant, for errors that teach. Read by crds/explain.ts and the CLI.

import { distance } from 'fastest-levenshtein';

/** The candidate nearest to a name; undefined where none is near enough to be meant. Case, dashes and underscores don't count. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_. ]/g, '');
  const wanted = plain(name.slice(0, 128));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const far = distance(wanted, plain(candidate));
    if (best === undefined || far < best.distance) best = { candidate, distance: far };
  }
  if (best === undefined) return undefined;
  return best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.candidate : undefined;
}
