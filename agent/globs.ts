// The language's globs: * ? and […]. Neighbour: agent/program-kernel.ts.

/** Whether a name is no glob but itself. */
export function isPlain(glob: string): boolean {
  return !/[*?[\]]/.test(glob);
}

/** The test of whole names. */
export function globTest(glob: string): (name: string) => boolean {
  if (isPlain(glob)) return (name) => name === glob;
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const letter = glob[at] ?? '';
    const end = letter === '[' ? glob.indexOf(']', at + 2) : -1;
    if (letter === '*') source += '.*';
    else if (letter === '?') source += '.';
    else if (end > 0) {
      source += classOf(glob.slice(at + 1, end));
      at = end;
    } else source += letter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  }
  // Stars beside each other mean one, and would take the time of two.
  const pattern = new RegExp(`^${source.replace(/(?:\.\*)+/g, '.*')}$`, 's');
  return (name) => pattern.test(name);
}

function classOf(inside: string): string {
  const negative = inside.startsWith('!') || inside.startsWith('^');
  const letters = (negative ? inside.slice(1) : inside).replace(/[\\\]^[]/g, '\\$&');
  return `[${negative ? '^' : ''}${letters}]`;
}
