// The view of a table result. Neighbours: grid.ts does the work.

import type { TableShape } from '../../shape.ts';
import { formatCount } from '../../units.ts';
import type { Data } from './data.ts';
import { h } from './dom.ts';
import { grid } from './grid.ts';
import { ownerChoice } from './owners.ts';

/** The whole section. */
export function tableView(data: Data, shape: TableShape): HTMLElement {
  const owners = ownerChoice(data.columns, data.rows, () => rows.restrict((row) => owners.chosen(row)));
  const left = data.foot.rows - data.foot.embedded;
  const sort = data.columns.findIndex(
    (each) => each.column.role === 'value' && each.column.name === shape.sort,
  );
  const rows = grid(data.columns, data.rows, { noun: 'rows', sort, totals: true });
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Table' },
    h('h2', {}, 'Rows'),
    left > 0 &&
      h(
        'p',
        { class: 'note' },
        `The first ${formatCount(data.foot.embedded)} rows by ${shape.sort} are in this page and in its totals; ${formatCount(left)} more are in ${data.head.complete}.`,
      ),
    owners.element,
    rows.element,
  );
}
