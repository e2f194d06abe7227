// "Did you mean …" for the first mistakes of a program: a hostile one makes thousands, and to compare each with all names takes minutes.
// Neighbours: bpf/nearest.ts, check.ts makes one for each run.

import { nearestName } from '../../bpf/nearest.ts';

/** `known` is asked only where a suggestion is made. */
export type Suggest = (name: string, known: () => Iterable<string>) => string | undefined;

const suggestionsAtMost = 20;

export function makeSuggest(): Suggest {
  let made = 0;
  return (name, known) => {
    made++;
    return made > suggestionsAtMost ? undefined : nearestName(name, known());
  };
}
