// Takes what looks like a credential out of text from traced processes, before it is written anywhere.
// Works on whole columns: one search tells that a batch has nothing to hide, which is nearly always so.

import type { Batch, BatchColumn } from '../native/api.ts';
import type { Column } from '../results/shape.ts';
import type { Redaction } from './plan.ts';

const hidden = '[redacted]';

/** Every repetition is bounded: the text is hostile and a search must stay linear. Each pattern keeps its first group (the name of the secret) and hides the rest. Parts of an argument list are separated by NUL. */
const secrets: RegExp[] = [
  // An option whose value is all of its argument, or of the next: --password=a,b c, --token x
  /((?:^|\0)--?[a-z0-9_-]{0,64}?(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|credentials?)(?:=|\0(?!-)))[^\0]+/gi,
  // PASSWORD=x, PGPASSWORD=x, -token:x, "api_key": "x y"
  /((?:^|[\0\s"'?&;,{_-])(?:[a-z0-9_-]{0,64}(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key)|(?:[a-z0-9_-]{0,64}[_-])?(?:pwd|credentials?|auth))["']?[=:]\s?["']?)(?:(?<=")(?:\\.|[^"\\\0])+|(?<=')[^'\0]+|[^\0\s"'&;,]+)/gi,
  // the same names before a value of their own: password x
  /((?:^|[\0\s"'?&;,{_-])(?:[a-z0-9_-]{0,64}[_-])?(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|credentials?|auth)["']?[\0\s]+["']?)(?!-)[^\0\s"'&;,]+/gi,
  // Authorization: Bearer x
  /((?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-auth-token)["']?\s*[:=]\s*["']?(?:(?:bearer|basic|digest|token)\s+)?)[^\0\r\n"']+/gi,
  /(\b(?:bearer|basic)[ \0])[a-z0-9+/=._~-]{8,}/gi,
  // -u user:secret, as curl takes it (and -u 1000:1000, which loses its group)
  /((?:^|\0)(?:-u|--user|--proxy-user)[\0=][^\0:]{1,128}:)[^\0]+/g,
  // scheme://user:secret@host
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@\0]{0,256}:)[^\s/@\0]{1,512}(?=@)/gi,
  // mysql -psecret and the like are too short to tell apart; keys that say what they are:
  /()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /()\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,})/g,
  /()\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

/** The text with secrets hidden; the same string where there are none. */
export function redactText(text: string): string {
  let out = text;
  for (const pattern of secrets) out = out.replace(pattern, `$1${hidden}`);
  return out;
}

/** What a column's text becomes under a job's redaction; undefined: it stays as it is. */
export function redactionOf(column: Column, redaction: Redaction): ((text: string) => string) | undefined {
  if (column.sensitive === undefined || redaction === 'None') return undefined;
  if (redaction === 'All') return (text) => (text === '' ? '' : hidden);
  // A path or an address holds no credential as a rule; what looks like one in a path is nearly always a name.
  return column.sensitive === 'arguments' ? redactText : undefined;
}

/** The batch with its sensitive text columns redacted. `columns`: the shape's column for each column name of the batch. */
export function redactBatch(batch: Batch, columns: ReadonlyMap<string, Column>, redaction: Redaction): Batch {
  if (redaction === 'None') return batch;
  const changed: Record<string, BatchColumn> = {};
  for (const [name, column] of columns) {
    const source = batch.columns[name];
    const change = redactionOf(column, redaction);
    if (change === undefined || source?.kind !== 'text') continue;
    // latin1 maps bytes to characters one to one: offsets stay true, and bytes that are no UTF-8 survive.
    const heap = Buffer.from(source.bytes.buffer, source.bytes.byteOffset, source.bytes.byteLength);
    const all = heap.toString('latin1');
    if (redaction === 'Secrets' && change(all) === all) continue;
    changed[name] = rewrite(all, source.offsets, batch.rows, change);
  }
  return Object.keys(changed).length === 0 ? batch : { ...batch, columns: { ...batch.columns, ...changed } };
}

function rewrite(
  all: string,
  offsets: Uint32Array,
  rows: number,
  change: (text: string) => string,
): BatchColumn {
  const parts: string[] = [];
  const moved = new Uint32Array(rows + 1);
  let length = 0;
  for (let row = 0; row < rows; row++) {
    const text = change(all.slice(offsets[row], offsets[row + 1]));
    parts.push(text);
    length += text.length;
    moved[row + 1] = length;
  }
  return { kind: 'text', offsets: moved, bytes: Buffer.from(parts.join(''), 'latin1') };
}
