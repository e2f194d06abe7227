// JSON for plans and heads on their way between agent and operator: integers of any size stay what they are. Neighbours: agent/wire.ts uses it;
// files on disk have results/row-json.ts' form instead, whose readers know by name which members are wide.
//
// A bigint is {"$int": "123"}; a member whose own name begins with $ gets one more.

/** Deeper than any plan or head; an end for a hostile text before the stack's. */
const deepest = 32;

/** Members that are undefined are left out, as in JSON. */
export function encodeTagged(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(tagged(value)));
}

function tagged(value: unknown): unknown {
  if (typeof value === 'bigint') return { $int: value.toString() };
  if (Array.isArray(value)) return value.map(tagged);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [name.startsWith('$') ? `$${name}` : name, tagged(member)]),
  );
}

/** Throws SyntaxError where it is not what encodeTagged writes. */
export function decodeTagged(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true });
  let decoded: string;
  try {
    decoded = text.decode(bytes);
  } catch {
    throw new SyntaxError('not UTF-8');
  }
  return untagged(JSON.parse(decoded), 0);
}

function untagged(value: unknown, depth: number): unknown {
  if (depth > deepest) throw new SyntaxError(`nested more than ${deepest} deep`);
  if (Array.isArray(value)) return value.map((item: unknown) => untagged(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const [first] = entries;
  if (first?.[0] === '$int' && entries.length === 1) return integer(first[1]);
  return Object.fromEntries(entries.map(([name, member]) => [plainName(name), untagged(member, depth + 1)]));
}

/** BigInt takes time by the square of the digits; none of ours has more than 64 bits. */
function integer(digits: unknown): bigint {
  if (typeof digits === 'string' && /^-?\d{1,40}$/.test(digits)) return BigInt(digits);
  throw new SyntaxError('$int without an integer');
}

function plainName(name: string): string {
  if (!name.startsWith('$')) return name;
  if (!name.startsWith('$$')) throw new SyntaxError(`unknown tag ${name.slice(0, 20)}`);
  return name.slice(1);
}
