// Drop-downs that choose by node, namespace, pod, container and by text keys such as the process. Only those that have a choice are shown.
// Neighbours: stacks.ts, histogram.ts and events.ts restrict what they show by it.

import type { ColumnData } from './data.ts';
import { heading } from './data.ts';
import { h, select } from './dom.ts';

export interface OwnerChoice {
  element: HTMLElement;
  /** Whether the row is among what is chosen. */
  chosen(row: number): boolean;
}

const mostOptions = 500;

/** Builds the drop-downs from text columns that are owners or keys; `change` is called after a choice. */
export function ownerChoice(columns: ColumnData[], rows: number, change: () => void): OwnerChoice {
  const wanted = new Map<ColumnData, string>();
  const fields = columns.flatMap((data) => {
    const { column } = data;
    const isKey = column.role !== 'value' || column.name === 'process';
    if (!isKey || column.type !== 'text') return [];
    const counts = new Map<string, number>();
    for (let row = 0; row < rows; row++) {
      const text = data.text(row);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    if (counts.size < 2 || counts.size > mostOptions) return [];
    const names = [...counts.keys()].sort();
    const shown = names.map((name) => (name === '' ? '(none)' : name));
    return [
      select(heading(column), ['all', ...shown], (index) => {
        const name = names[index - 1];
        if (name === undefined) wanted.delete(data);
        else wanted.set(data, name);
        change();
      }),
    ];
  });
  return {
    element: h('div', { class: 'fields' }, ...fields),
    chosen(row) {
      for (const [data, name] of wanted) if (data.text(row) !== name) return false;
      return true;
    },
  };
}
