// The view of a stacks result: flame graph with its controls, and the table of functions. Neighbours: flame.ts draws, ../stack-model.ts computes,
// grid.ts is the table.

import { formatCount, wordsOf } from '../../units.ts';
import { amount, exact, percent } from '../amounts.ts';
import { kindColour } from '../frame-look.ts';
import type { DataColumn, StacksBlock } from '../report-data.ts';
import { searchPattern } from '../search.ts';
import {
  buildTree,
  type FunctionTotals,
  functionTotals,
  matchedWeight,
  type StackChoice,
  type StackTree,
} from '../stack-model.ts';
import { type ColumnData, type Data, joinColumns, packedNumbers } from './data.ts';
import { button, checkbox, h, select, show, whenQuiet } from './dom.ts';
import { flame } from './flame.ts';
import { grid } from './grid.ts';
import { ownerChoice } from './owners.ts';

const kinds = [
  ['user', 'user code'],
  ['inlined', 'inlined'],
  ['jit', 'JIT'],
  ['kernel', 'kernel'],
] as const;

/** The whole section. */
export function stacksView(data: Data, block: StacksBlock): HTMLElement {
  const { shape } = data.head;
  const weights = shape.kind === 'stacks' ? shape.weights : [];
  const numbers = block.leafWeights.map(packedNumbers);
  const groupColumns = joinColumns(
    data.head,
    [block.groups.columns],
    data.head.columns.filter((c) => c.role !== 'value'),
  );
  const choice: StackChoice = {
    groups: new Array(block.groups.rows).fill(true),
    weight: 0,
    kernel: true,
    inlined: true,
    reversed: false,
    containing: -1,
  };
  let tree: StackTree | undefined;
  let totals: FunctionTotals[] = [];
  let whole = 0;
  let pattern: RegExp | undefined;
  let matching: Uint8Array | undefined;

  const unit = () => weights[choice.weight]?.unit;
  const say = (value: number) => exact(value, unit());
  const owners = ownerChoice(groupColumns, block.groups.rows, () => {
    choice.groups = choice.groups.map((_, group) => owners.chosen(group));
    rebuild();
  });

  const graph = flame({
    frames: block.frames,
    describe(node) {
      if (tree === undefined) return [];
      const frame = tree.frame[node] ?? -1;
      const [total, self] = [tree.total[node] ?? 0, tree.self[node] ?? 0];
      const lines = [frame < 0 ? 'all' : (block.frames.name[frame] ?? '')];
      const short = unit() === 'ns' || unit() === 'bytes' ? `${amount(total, unit())} = ` : '';
      lines.push(`${short}${say(total)} (${percent(total, tree.total[0] ?? 0)})`);
      const zoomed = tree.total[graph.zoomed()] ?? 0;
      if (graph.zoomed() > 0 && total <= zoomed) lines.push(`${percent(total, zoomed)} of the zoomed frame`);
      if (frame < 0) return lines;
      if (!choice.reversed) lines.push(`self ${amount(self, unit())} (${percent(self, tree.total[0] ?? 0)})`);
      const place = [block.frames.modules[block.frames.module[frame] ?? -1], block.frames.at[frame]];
      lines.push([kindName(frame), ...place.filter((part) => part)].join(', '));
      return lines;
    },
    onZoom: () => {
      reset.disabled = graph.zoomed() === 0;
      drawMatched();
    },
  });

  const kindName = (frame: number) => kinds.find(([kind]) => kind === block.frames.kind[frame])?.[1] ?? '';

  const search = h('input', {
    type: 'search',
    placeholder: 'Search functions (regex)',
    'aria-label': 'Search functions by a regular expression',
    class: 'search',
    input: whenQuiet(() => find(search.value)),
  });
  const matched = h('span', { class: 'matched', role: 'status' });
  const reset = button('Reset zoom', () => graph.zoom(0), { disabled: true });
  const only = h('div', { class: 'chips' });

  function find(text: string): void {
    pattern = searchPattern(text);
    const found = pattern;
    matching =
      found === undefined
        ? undefined
        : Uint8Array.from(block.frames.name, (name) => Number(found.test(name)));
    const mask = matching;
    graph.setMatches(mask === undefined ? undefined : (frame) => mask[frame] === 1);
    drawMatched();
  }

  function drawMatched(): void {
    const mask = matching;
    if (tree === undefined || mask === undefined) {
      matched.textContent = '';
      return;
    }
    const zoom = graph.zoomed();
    const weight = matchedWeight(tree, (frame) => mask[frame] === 1, zoom);
    matched.textContent = `Matched ${percent(weight, tree.total[zoom] ?? 0)} (${amount(weight, unit())})`;
  }

  function rebuild(): void {
    const values = numbers[choice.weight] ?? [];
    tree = buildTree(block, choice, values);
    const forward = choice.reversed ? buildTree(block, { ...choice, reversed: false }, values) : tree;
    whole = forward.total[0] ?? 0;
    totals = functionTotals(forward);
    graph.setTree(tree);
    reset.disabled = true;
    const name = weights[choice.weight];
    const share = name === undefined ? 'weight' : wordsOf(name);
    show(widths, `As wide as their share of ${share}. Click zooms, Escape goes back, Ctrl-F searches.`);
    drawMatched();
    functions.refresh(functionColumns(), totals.length);
    drawOnly();
  }

  function drawOnly(): void {
    show(only);
    if (choice.containing < 0) return;
    const name = block.frames.name[choice.containing] ?? '';
    const clear = button(`Only stacks with ${name.slice(0, 120)}  ✕`, () => {
      choice.containing = -1;
      rebuild();
    });
    clear.classList.add('chip');
    show(only, clear);
  }

  function functionColumns(): ColumnData[] {
    const at = (row: number) => totals[row]?.frame ?? -1;
    const text = (name: string, description: string, read: (frame: number) => string): ColumnData => {
      const cell = (row: number) => read(at(row));
      const column: DataColumn = { name, type: 'text', description, role: 'value' };
      return { column, text: cell, exact: cell, plain: cell, number: () => Number.NaN, integer: () => null };
    };
    const weight = (name: 'self' | 'total', description: string): ColumnData => {
      const value = (row: number) => totals[row]?.[name] ?? 0;
      const column: DataColumn = { name, type: 'integer', description, role: 'value' };
      const measured = unit();
      if (measured !== undefined) column.unit = measured;
      return {
        column,
        number: value,
        text: (row) => `${amount(value(row), measured)} · ${percent(value(row), whole)}`,
        exact: (row) => `${say(value(row))} (${percent(value(row), whole)})`,
        plain: (row) => String(value(row)),
        integer: (row) => BigInt(Math.round(value(row))),
      };
    };
    return [
      text('function', 'Click shows only stacks with it', (frame) => block.frames.name[frame] ?? ''),
      weight('self', 'In the function itself'),
      weight('total', 'In it and all that it called; recursion counts once'),
      text('kind', 'Whose code it is', kindName),
      text(
        'module',
        'The file that holds it',
        (frame) => block.frames.modules[block.frames.module[frame] ?? -1] ?? '',
      ),
      text('source', 'Where it is in the source', (frame) => block.frames.at[frame] ?? ''),
    ];
  }

  const functions = grid(functionColumns(), 0, {
    noun: 'functions',
    sort: 1,
    height: '420px',
    onRow(row) {
      const frame = totals[row]?.frame ?? -1;
      choice.containing = choice.containing === frame ? -1 : frame;
      rebuild();
    },
    marked: (row) => totals[row]?.frame === choice.containing,
  });

  const toggle = (text: string, about: string, on: boolean, set: (on: boolean) => void) => {
    const label = checkbox(text, on, (checked) => {
      set(checked);
      rebuild();
    });
    label.title = about;
    return label;
  };
  const has = (kind: string) => block.frames.kind.some((each) => each === kind);
  const controls = h(
    'div',
    { class: 'toolbar' },
    search,
    matched,
    h('span', { class: 'grow' }),
    weights.length > 1 &&
      select('widths', weights.map(wordsOf), (index) => {
        choice.weight = index;
        rebuild();
      }),
    checkbox('icicle', false, (on) => graph.setIcicle(on)),
    toggle('callers', 'Reversed: what ran at the root, its callers upon it', false, (on) => {
      choice.reversed = on;
    }),
    has('kernel') &&
      toggle('kernel', 'With frames of the kernel', true, (on) => {
        choice.kernel = on;
      }),
    has('inlined') &&
      toggle('inlined', 'With inlined functions', true, (on) => {
        choice.inlined = on;
      }),
    reset,
  );
  const widths = h('span', {});
  const legend = h(
    'p',
    { class: 'legend muted' },
    ...kinds
      .filter(([kind]) => has(kind))
      .map(([kind, name]) => {
        const swatch = h('i', { class: 'swatch' });
        swatch.style.background = kindColour(kind);
        return h('span', {}, swatch, name);
      }),
    widths,
  );
  // Ctrl-F looks for functions, as in every flame graph; a second Ctrl-F is the browser's own.
  document.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== 'f' || document.activeElement === search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
  rebuild();
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Call stacks' },
    h('h2', {}, 'Call stacks'),
    owners.element,
    controls,
    only,
    graph.element,
    legend,
    data.foot.folded > 0 &&
      h(
        'p',
        { class: 'note' },
        `${formatCount(data.foot.folded)} frames that were too light to be kept one by one are folded into their callers; ${data.head.complete} has all.`,
      ),
    data.foot.note !== undefined && h('p', { class: 'note' }, `${data.foot.note}.`),
    h('h3', {}, 'Functions'),
    functions.element,
  );
}
