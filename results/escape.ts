// The one place where text from traced processes is made harmless to show: terminals, HTML, logs. JSON needs none of it (JSON.stringify).
// Neighbours: results/render/*, cli/.

/** Controls, format characters (bidirectional controls and marks, joiners, tags, BOM), lone surrogates, line and paragraph separators, and what is
 *  drawn as nothing: all that moves the cursor, recolours, hides or reorders what a person reads. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function visible(character: string): string {
  const known = named[character];
  if (known) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}

/** One line of text that is safe in a terminal: everything that a terminal acts on or a reader can't see is written as `\x1b`, `\n`, `\u202e`.
 *  Longer than `limit` characters: cut, with an ellipsis. */
export function escapeTerminal(text: string, limit = 4096): string {
  const cut = shorten(text, limit);
  return cut.replace(unsafe, visible);
}

/** For element content and quoted attributes of HTML and SVG; controls and bidi marks are made visible as in a terminal. */
export function escapeHtml(text: string, limit = 65536): string {
  return escapeTerminal(text, limit)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** At most `limit` UTF-16 units, the last an ellipsis where something was cut; no half of a surrogate pair is left. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = limit - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? end - 1 : end)}…`;
}
