// A helper that failed where the program did not look, as bpftrace warns of it: at its place in the source. Neighbours: programs/diagnostics.ts,
// agent/program-session.ts.

import { errorTexts } from '../check/error-texts.ts';
import type { Output } from '../compiled.ts';
import { placeOf, renderDiagnostics } from '../diagnostics.ts';
import { jsonText } from './json.ts';

const mapFull = -7;
const noEntry = -2;

export function helperText(
  { helper, span }: Output & { kind: 'helperError' },
  error: number,
  source: { name: string; text: string },
  format: 'text' | 'json',
): string {
  const message = words(helper, error);
  if (format === 'json') {
    const { line, column } = placeOf(source.text, span.start);
    return `{"type": "helper_error", "msg": ${jsonText(helper === 'divide' ? message : system(error))}, "helper": ${jsonText(helper)}, "retcode": ${error}, "filename": ${jsonText(source.name)}, "line": ${line}, "col": ${column}}\n`;
  }
  const rendered = renderDiagnostics([{ severity: 'warning', span, message }], source.text, source.name);
  if (helper === 'divide') return rendered;
  const [first = '', ...rest] = rendered.split('\n');
  return [first, `Additional Info - helper: ${helper}, retcode: ${error}`, ...rest].join('\n');
}

function words(helper: string, error: number): string {
  if (helper === 'divide')
    return 'Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.';
  if (helper === 'map_update_elem' && error === mapFull)
    return "Map full; can't update element. Try increasing max_map_keys config or manually setting the max entries in a map declaration e.g. `let @a = hash(5000)`";
  if (helper === 'map_delete_elem' && error === noEntry)
    return "Can't delete map element because it does not exist.";
  if (helper.startsWith('probe_read')) return `Failed to ${helper}: ${system(error)} (${error})`;
  if (helper === 'map_lookup_elem') return "Can't lookup map element because it does not exist.";
  return system(error);
}

function system(error: number): string {
  return errorTexts.get(BigInt(-error)) ?? `error ${error}`;
}
