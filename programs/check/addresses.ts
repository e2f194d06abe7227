// IP addresses as text → bytes. Pure. Neighbour: call-results.ts (pton).

/** The bytes of an address; undefined: it is none. */
export function addressBytes(text: string): Uint8Array | undefined {
  const dotted = dottedBytes(text);
  if (dotted !== undefined) return dotted;
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text) || !text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [
    ...head,
    ...Array.from({ length: halves.length === 1 ? 0 : missing }, () => 0),
    ...(tail ?? []),
  ];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** `127.0.0.1` */
function dottedBytes(text: string): Uint8Array | undefined {
  if (!/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
}

/** `1:2ab`, the last may be dotted. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const [index, part] of text.split(':').entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const dotted =
        index === text.split(':').length - 1 && part.includes('.') ? dottedBytes(part) : undefined;
      if (dotted?.length !== 4) return undefined;
      groups.push(((dotted[0] ?? 0) << 8) | (dotted[1] ?? 0), ((dotted[2] ?? 0) << 8) | (dotted[3] ?? 0));
    }
  }
  return groups;
}
