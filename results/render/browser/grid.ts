// A table for 100,000 rows: only what is in sight is in the document. Sorting by any column, one filter box for all columns and one for each,
// totals of what is shown, copying as CSV, all fields of a row on click. Neighbours: grid-filter.ts, grid-parts.ts; used by every view with rows.

import type { ColumnData } from './data.ts';
import { heading } from './data.ts';
import { button, checkbox, h, show, whenQuiet } from './dom.ts';
import { columnTest, filterHint, globalTest } from './grid-filter.ts';
import { columnWidth, constantColumns, copyText, rowDialog, toCsv, totalsOf } from './grid-parts.ts';

const rowHeight = 28;

export interface GridOptions {
  /** Says what the rows are: "events", "functions". */
  noun: string;
  /** Index into columns; descending unless `ascending`. */
  sort?: number;
  ascending?: boolean;
  totals?: boolean;
  /** What a click on a row does instead of showing all its fields. */
  onRow?: (row: number) => void;
  /** Called when the rows shown have changed. */
  onRows?: (rows: Uint32Array) => void;
  /** Says beside the row count what is not in this table. */
  note?: string;
  /** Rows whose line is marked. */
  marked?: (row: number) => boolean;
  height?: string;
}

export interface Grid {
  element: HTMLElement;
  /** A restriction from outside, besides the grid's own filters. */
  restrict(test: ((row: number) => boolean) | undefined): void;
  /** Draws again, with other data where `columns` and `rows` are given. */
  refresh(columns?: ColumnData[], rows?: number): void;
  /** Draws the lines in sight again: other rows are marked now. */
  redraw(): void;
}

/** Builds a grid over columns of `rows` rows. */
export function grid(startColumns: ColumnData[], startRows: number, options: GridOptions): Grid {
  let columns = startColumns;
  let rowCount = startRows;
  let sort = options.sort ?? -1;
  let ascending = options.ascending ?? false;
  let outside: ((row: number) => boolean) | undefined;
  let order = new Uint32Array(0);
  const hidden = new Set(constantColumns(columns, rowCount));
  const filters = new Map<number, string>();

  const search = h('input', {
    type: 'search',
    placeholder: `Filter ${options.noun}…`,
    'aria-label': `Filter ${options.noun}: text in any column`,
    input: whenQuiet(() => select()),
  });
  const count = h('span', { class: 'muted', role: 'status' });
  const copy = button('Copy as CSV', () => copyText(toCsv(columns, order), copy));
  const same = h('p', { class: 'muted same' });
  const chooser = h('details', { class: 'menu' }, h('summary', {}, 'Columns'));
  const head = h('thead');
  const body = h('tbody');
  const foot = h('tfoot');
  const group = h('colgroup');
  const table = h('table', { class: 'grid' }, group, head, body, foot);
  const scroller = h(
    'div',
    { class: 'scroller', tabindex: 0, scroll: () => window.requestAnimationFrame(draw) },
    table,
  );
  scroller.style.maxHeight = options.height ?? '65vh';
  const element = h(
    'div',
    { class: 'grid-box' },
    h('div', { class: 'toolbar' }, search, count, h('span', { class: 'grow' }), chooser, copy),
    same,
    scroller,
  );

  const shown = () => columns.map((_, i) => i).filter((i) => !hidden.has(i));

  function select(): void {
    const tests: ((row: number) => boolean)[] = [];
    if (outside !== undefined) tests.push(outside);
    const everywhere = globalTest(columns, search.value);
    if (everywhere !== undefined) tests.push(everywhere);
    for (const [index, text] of filters) {
      const column = columns[index];
      const test = column === undefined ? undefined : columnTest(column, text);
      if (test !== undefined) tests.push(test);
    }
    const kept = new Uint32Array(rowCount);
    let length = 0;
    for (let row = 0; row < rowCount; row++) if (tests.every((test) => test(row))) kept[length++] = row;
    order = kept.slice(0, length);
    arrange();
    count.textContent =
      length === rowCount
        ? `${rowCount.toLocaleString('en-US')} ${options.noun}`
        : `${length.toLocaleString('en-US')} of ${rowCount.toLocaleString('en-US')} ${options.noun}`;
    if (options.note !== undefined) count.textContent += ` · ${options.note}`;
    options.onRows?.(order);
  }

  function arrange(): void {
    const column = columns[sort];
    if (column !== undefined) {
      const sign = ascending ? 1 : -1;
      if (column.column.type === 'integer' || column.column.type === 'time') {
        const keys = Float64Array.from({ length: rowCount }, (_, row) => column.number(row));
        // Unknown (NaN) goes last either way.
        order.sort((a, b) => {
          const [x, y] = [keys[a] ?? Number.NaN, keys[b] ?? Number.NaN];
          if (Number.isNaN(x) || Number.isNaN(y))
            return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
          return sign * (x - y) || a - b;
        });
      } else {
        order.sort((a, b) => {
          const [x, y] = [column.text(a), column.text(b)];
          return x === y ? a - b : x < y ? -sign : sign;
        });
      }
    }
    scroller.scrollTop = 0;
    drawFoot();
    draw();
  }

  function press(index: number): void {
    const numeric = columns[index]?.column.type === 'integer';
    if (sort === index) ascending = !ascending;
    else [sort, ascending] = [index, !numeric];
    drawHead();
    arrange();
  }

  function drawHead(): void {
    const titles = h('tr', {}, ...shown().map(titleCell));
    const boxes = h('tr', { class: 'filters' }, ...shown().map(filterCell));
    show(head, titles, boxes);
  }

  function titleCell(index: number): HTMLElement {
    const column = columns[index]?.column;
    if (column === undefined) return h('th');
    const order = sort !== index ? 'none' : ascending ? 'ascending' : 'descending';
    const arrow = sort !== index ? '' : ascending ? ' ↑' : ' ↓';
    const numeric = column.type === 'integer';
    return h(
      'th',
      { scope: 'col', 'aria-sort': order, class: numeric ? 'number' : '' },
      button(`${heading(column)}${arrow}`, () => press(index), { title: column.description }),
    );
  }

  function filterCell(index: number): HTMLElement {
    const data = columns[index];
    if (data === undefined) return h('th');
    const numeric = data.column.type === 'integer' || data.column.type === 'time';
    const input = h('input', {
      type: 'text',
      value: filters.get(index) ?? '',
      placeholder: numeric ? filterHint(data.column) : 'contains',
      'aria-label': `Filter column ${heading(data.column)}`,
      title: numeric
        ? 'A number with a unit, a comparison (> 1ms) or a range (1ms..5ms)'
        : 'Text it contains; =text for exactly, !text for not',
      input: whenQuiet(() => {
        filters.set(index, input.value);
        const valid = columnTest(data, input.value) !== undefined || input.value.trim() === '';
        input.setAttribute('aria-invalid', String(!valid));
        select();
      }),
    });
    return h('th', {}, input);
  }

  function drawFoot(): void {
    if (options.totals !== true) return;
    const totals = totalsOf(columns, order);
    let first = true;
    const cells = shown().map((index) => {
      const total = totals[index];
      if (total !== undefined) return h('td', { class: 'number', title: total.exact }, total.text);
      const text = first ? 'Total' : '';
      first = false;
      return h('td', {}, text);
    });
    show(foot, h('tr', {}, ...cells));
  }

  function draw(): void {
    const visible = shown();
    const all = order.length;
    // While it prints there is no scrolling: the first rows stand for the rest.
    const height = printing ? 200 * rowHeight : scroller.clientHeight || 600;
    const from = printing ? 0 : Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - 8);
    const to = Math.min(all, from + Math.ceil(height / rowHeight) + 20);
    const rows: HTMLElement[] = [];
    if (from > 0) rows.push(spacer(from * rowHeight));
    for (let at = from; at < to; at++) rows.push(line(order[at] ?? 0, at, visible));
    if (to < all && !printing) rows.push(spacer((all - to) * rowHeight));
    if (all === 0)
      rows.push(
        h('tr', {}, h('td', { class: 'empty', colspan: visible.length }, `No ${options.noun} match.`)),
      );
    table.setAttribute('aria-rowcount', String(all + 1));
    show(body, ...rows);
  }

  function spacer(height: number): HTMLElement {
    const row = h('tr', { class: 'spacer', 'aria-hidden': 'true' });
    row.style.height = `${height}px`;
    return row;
  }

  function line(row: number, at: number, visible: number[]): HTMLElement {
    const open = () => (options.onRow === undefined ? rowDialog(columns, row) : options.onRow(row));
    const cells = visible.map((index) => {
      const column = columns[index];
      const numeric = column?.column.type === 'integer';
      return h('td', { class: numeric ? 'number' : '', title: column?.exact(row) }, column?.text(row));
    });
    return h(
      'tr',
      {
        tabindex: 0,
        'aria-rowindex': at + 2,
        class: options.marked?.(row) === true ? 'marked' : '',
        click: open,
        keydown: (event) => {
          const key = (event as KeyboardEvent).key;
          if (key === 'Enter') open();
          const other =
            key === 'ArrowDown'
              ? 'nextElementSibling'
              : key === 'ArrowUp'
                ? 'previousElementSibling'
                : undefined;
          if (other === undefined) return;
          event.preventDefault();
          const next = (event.currentTarget as HTMLElement)[other];
          if (next instanceof HTMLElement) next.focus();
        },
      },
      ...cells,
    );
  }

  function drawFrame(): void {
    const visible = shown();
    const widths = visible.map((index) => columnWidth(columns[index], rowCount));
    const cols = widths.map((width) => {
      const col = h('col');
      col.style.width = `${width}ch`;
      return col;
    });
    show(group, ...cols);
    // Widths are generous: up to a sixth less still shows nearly everything without scrolling sideways.
    table.style.minWidth = `${widths.reduce((sum, width) => sum + width, 0) * 0.84}ch`;
    const constant = constantColumns(columns, rowCount).filter(
      (i) => hidden.has(i) && (columns[i]?.text(0) ?? '') !== '',
    );
    const words = constant.map(
      (i) => `${columns[i] === undefined ? '' : heading(columns[i].column)} ${columns[i]?.text(0)}`,
    );
    show(same, words.length > 0 && `The same in every row: ${words.join(', ')}`);
    same.hidden = words.length === 0;
    drawHead();
  }

  function drawChooser(): void {
    const boxes = columns.map((column, index) =>
      checkbox(heading(column.column), !hidden.has(index), (on) => {
        if (on) hidden.delete(index);
        else hidden.add(index);
        drawFrame();
        drawFoot();
        draw();
      }),
    );
    show(chooser, h('summary', {}, 'Columns'), h('div', { class: 'menu-list' }, ...boxes));
  }

  let printing = false;
  window.addEventListener('beforeprint', () => {
    printing = true;
    draw();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    draw();
  });

  drawFrame();
  drawChooser();
  select();
  // The height of the scroller is known only once it is in the document.
  new ResizeObserver(draw).observe(scroller);

  return {
    element,
    restrict(test) {
      outside = test;
      select();
    },
    refresh(newColumns = columns, rows = rowCount) {
      [columns, rowCount] = [newColumns, rows];
      drawFrame();
      select();
    },
    redraw: draw,
  };
}
