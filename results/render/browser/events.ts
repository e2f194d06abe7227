// The view of an events result: time line, choice by whose it is, table. Neighbours: timeline.ts, owners.ts, grid.ts.

import { formatCount } from '../../units.ts';
import type { Data } from './data.ts';
import { h } from './dom.ts';
import { grid } from './grid.ts';
import { ownerChoice } from './owners.ts';
import { timeline } from './timeline.ts';

/** The whole section. */
export function eventsView(data: Data): HTMLElement {
  const { foot } = data;
  const noun = data.head.shape.kind === 'packets' ? 'packets' : 'events';
  const title = noun === 'packets' ? 'Packets' : 'Events';
  const time = data.columns[0];
  const stepSeconds = (foot.series?.stepNs ?? 1e9) / 1e9;
  const line = timeline(foot.series?.counts ?? [], stepSeconds, restrict);
  const owners = ownerChoice(data.columns, data.rows, restrict);

  function restrict(): void {
    const range = line.range();
    rows.restrict((row) => {
      if (!owners.chosen(row)) return false;
      if (range === undefined) return true;
      const at = (time?.number(row) ?? 0) / 1e9;
      return at >= range[0] && at <= range[1];
    });
  }

  const left = foot.rows - foot.embedded;
  const note =
    left > 0
      ? `the first ${formatCount(foot.embedded)} are in this page, ${formatCount(left)} more in ${data.head.complete}`
      : undefined;
  const rows = grid(data.columns, data.rows, {
    noun,
    sort: 0,
    ascending: true,
    onRows(shown) {
      const counts = new Array<number>(line.steps).fill(0);
      for (const row of shown) {
        const step = Math.min(
          line.steps - 1,
          Math.max(0, Math.floor((time?.number(row) ?? 0) / 1e9 / stepSeconds)),
        );
        counts[step] = (counts[step] ?? 0) + 1;
      }
      line.setShown(counts);
    },
  });
  return h(
    'section',
    { class: 'panel', 'aria-label': title },
    h('h2', {}, title),
    note !== undefined && h('p', { class: 'note' }, `${note[0]?.toUpperCase()}${note.slice(1)}.`),
    owners.element,
    line.element,
    rows.element,
  );
}
