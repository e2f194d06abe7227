// A tree as lines, for goldens: the kind of a node, its plain values and its place, its parts below it. Neighbour: programs/parse/parse.test.ts.

/** A list or object without a kind is shown by what it holds. */
export function treeText(node: unknown, label = 'program', indent = ''): string {
  if (typeof node !== 'object' || node === null) return `${indent}${label}: ${scalar(node)}\n`;
  if (Array.isArray(node)) {
    if (node.every((each) => typeof each !== 'object')) {
      return node.length === 0 ? '' : `${indent}${label}: ${node.map(scalar).join(' ')}\n`;
    }
    return node.map((each) => treeText(each, label, indent)).join('');
  }
  const entries = Object.entries(node);
  const words: string[] = [];
  let below = '';
  for (const [name, value] of entries) {
    if (name === 'kind') words.push(`${value}`);
    else if (name === 'span') words.push(`@${value.start}-${value.end}`);
    else if (name === 'nameSpan' || value === null || value === false) continue;
    else if (typeof value === 'object') below += treeText(value, name, `${indent}  `);
    else words.push(`${name}=${scalar(value)}`);
  }
  return `${indent}${label}: ${words.join(' ')}\n${below}`;
}

function scalar(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`;
}
