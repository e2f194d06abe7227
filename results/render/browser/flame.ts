// Draws one flame graph on a canvas as large as the window onto it, so that neither depth nor 100,000 frames make it slow. Mouse: hover says what
// it is, click zooms. Keyboard: arrows walk, Enter zooms, Escape goes back. Neighbours: stacks.ts owns it, ../stack-model.ts lays out.

import { escapeTerminal } from '../../escape.ts';
import { frameColour } from '../frame-look.ts';
import type { StacksBlock } from '../report-data.ts';
import type { StackTree } from '../stack-model.ts';
import { h, onTheme, show, themeColour } from './dom.ts';

const rowHeight = 20;
const font = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const maximumHeight = 640;

export interface FlameOptions {
  frames: StacksBlock['frames'];
  /** Lines of the tooltip; the first is the name. */
  describe(node: number): string[];
  /** Called when another node is zoomed to. */
  onZoom(node: number): void;
}

export interface Flame {
  element: HTMLElement;
  setTree(tree: StackTree): void;
  setMatches(matches: ((frame: number) => boolean) | undefined): void;
  setIcicle(icicle: boolean): void;
  zoom(node: number): void;
  zoomed(): number;
}

/** Builds the graph; it is empty until setTree. */
export function flame(options: FlameOptions): Flame {
  const canvas = h('canvas', {
    tabindex: 0,
    role: 'application',
    'aria-roledescription': 'flame graph',
    'aria-label':
      'Flame graph. Arrow keys walk between frames, Enter zooms, Escape goes back. The table below has the same functions.',
  });
  const spacer = h('div', { class: 'flame-height' }, canvas);
  const scroller = h('div', { class: 'flame-scroll' }, spacer);
  const tip = h('div', { class: 'tip', hidden: true });
  const status = h('p', { class: 'flame-status', role: 'status' });
  const element = h('div', { class: 'flame' }, scroller, tip, status);
  const context = canvas.getContext('2d');
  const colours = options.frames.name.map((name, i) =>
    frameColour(
      options.frames.kind[i] ?? 'user',
      name,
      options.frames.modules[options.frames.module[i] ?? -1],
    ),
  );
  const names = options.frames.name.map((name) => escapeTerminal(name, 300));
  const plain = frameColour('plain', '');

  let tree: StackTree | undefined;
  let matches: ((frame: number) => boolean) | undefined;
  let icicle = false;
  let zoom = 0;
  let focus = -1;
  let rows = 1;
  let width = 0;
  let height = 0;
  /** Drawn boxes of each row, left to right, to find what is under the mouse. */
  let drawn: { node: number; x: number; right: number }[][] = [];

  /** Node's row: ancestors of the zoomed node above it stay as a path. */
  const top = (row: number) => (icicle ? row * rowHeight : (rows - 1 - row) * rowHeight) - scroller.scrollTop;

  function measure(): void {
    if (tree === undefined) return;
    width = scroller.clientWidth;
    const scale = width / (tree.total[zoom] || 1);
    let deepest = tree.depth[zoom] ?? 0;
    for (let i = zoom, end = tree.end[zoom] ?? 0; i < end; ) {
      if ((tree.total[i] ?? 0) * scale < 0.5) {
        i = tree.end[i] ?? end;
        continue;
      }
      deepest = Math.max(deepest, tree.depth[i] ?? 0);
      i++;
    }
    rows = deepest + 1;
    height = Math.min(rows * rowHeight, printing ? 1400 : maximumHeight);
    spacer.style.height = `${rows * rowHeight}px`;
    scroller.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    scroller.scrollTop = icicle ? 0 : rows * rowHeight;
  }

  function draw(): void {
    if (context === null || tree === undefined) return;
    context.fillStyle = themeColour('--panel');
    context.fillRect(0, 0, width, height);
    context.font = font;
    context.textBaseline = 'middle';
    const letter = context.measureText('M').width;
    drawn = [];
    for (let i = tree.parent[zoom] ?? -1; i >= 0; i = tree.parent[i] ?? -1)
      box(tree, i, 0, width, letter, true);
    const left = tree.start[zoom] ?? 0;
    const scale = width / (tree.total[zoom] || 1);
    for (let i = zoom, end = tree.end[zoom] ?? 0; i < end; ) {
      const wide = (tree.total[i] ?? 0) * scale;
      if (wide < 0.5) {
        i = tree.end[i] ?? end;
        continue;
      }
      box(tree, i, ((tree.start[i] ?? 0) - left) * scale, wide, letter, false);
      i++;
    }
  }

  function box(of: StackTree, node: number, x: number, wide: number, letter: number, above: boolean): void {
    if (context === null) return;
    const row = of.depth[node] ?? 0;
    const y = top(row);
    drawn[row] ??= [];
    drawn[row]?.push({ node, x, right: x + wide });
    if (y < -rowHeight || y > height) return;
    const frame = of.frame[node] ?? -1;
    const hit = matches !== undefined && frame >= 0 && matches(frame);
    context.globalAlpha = above || (matches !== undefined && !hit) ? 0.45 : 1;
    context.fillStyle = hit ? '#e879f9' : (colours[frame] ?? plain);
    // A gap between neighbours once they are wide enough to have one.
    context.fillRect(x, y, Math.max(wide - (wide > 3 ? 1 : 0), 0.5), rowHeight - 1);
    context.globalAlpha = 1;
    if (node === focus) {
      context.strokeStyle = themeColour('--text');
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, Math.max(wide - 3, 1), rowHeight - 3);
    }
    const room = Math.floor((wide - 8) / letter);
    if (room < 3) return;
    const name = frame < 0 ? 'all' : (names[frame] ?? '');
    context.fillStyle = '#1c1917';
    context.fillText(name.length <= room ? name : `${name.slice(0, room - 1)}…`, x + 4, y + rowHeight / 2);
  }

  function at(event: MouseEvent): number {
    const bounds = canvas.getBoundingClientRect();
    const y = event.clientY - bounds.top + scroller.scrollTop;
    const row = icicle ? Math.floor(y / rowHeight) : rows - 1 - Math.floor(y / rowHeight);
    const x = event.clientX - bounds.left;
    return drawn[row]?.find((entry) => x >= entry.x && x < Math.max(entry.right, entry.x + 1))?.node ?? -1;
  }

  function say(node: number): void {
    status.textContent = node < 0 ? '' : escapeTerminal(options.describe(node).join(' · '));
  }

  function hover(event: MouseEvent): void {
    const node = at(event);
    say(node);
    tip.hidden = node < 0;
    canvas.style.cursor = node < 0 ? 'default' : 'pointer';
    if (node < 0) return;
    const [name, ...rest] = options.describe(node);
    show(tip, h('strong', {}, name), ...rest.map((line) => h('div', {}, line)));
    const x = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
    tip.style.left = `${Math.max(8, x)}px`;
    tip.style.top = `${below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 12}px`;
  }

  function zoomTo(node: number): void {
    zoom = node;
    focus = focus < 0 ? -1 : node;
    measure();
    draw();
    say(node);
    options.onZoom(node);
  }

  function walk(key: string): number {
    if (tree === undefined) return -1;
    if (focus < 0) return zoom;
    const [outward, inward] = icicle ? ['ArrowUp', 'ArrowDown'] : ['ArrowDown', 'ArrowUp'];
    if (key === outward) return Math.max(0, tree.parent[focus] ?? 0);
    const row = tree.depth[focus] ?? 0;
    if (key === inward)
      return drawn[row + 1]?.find((entry) => tree?.parent[entry.node] === focus)?.node ?? focus;
    const line = drawn[row] ?? [];
    const place = line.findIndex((entry) => entry.node === focus);
    return line[place + (key === 'ArrowRight' ? 1 : -1)]?.node ?? focus;
  }

  function press(event: KeyboardEvent): void {
    if (event.key.startsWith('Arrow')) {
      focus = walk(event.key);
      const y = top(tree?.depth[focus] ?? 0);
      if (y < 0 || y > height - rowHeight) scroller.scrollTop += y - height / 2;
      draw();
      say(focus);
    } else if (event.key === 'Enter' && focus >= 0) zoomTo(focus);
    else if (event.key === 'Escape') zoomTo(Math.max(0, tree?.parent[zoom] ?? 0));
    else return;
    event.preventDefault();
  }

  canvas.addEventListener('mousemove', hover);
  canvas.addEventListener('mouseleave', () => {
    tip.hidden = true;
  });
  canvas.addEventListener('click', (event) => {
    const node = at(event);
    if (node >= 0) zoomTo(node);
  });
  canvas.addEventListener('keydown', press);
  canvas.addEventListener('blur', () => {
    focus = -1;
    draw();
  });
  scroller.addEventListener('scroll', draw);
  let printing = false;
  const again = () => {
    measure();
    draw();
  };
  new ResizeObserver(() => {
    if (scroller.clientWidth !== width) again();
  }).observe(scroller);
  window.addEventListener('beforeprint', () => {
    printing = true;
    again();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    again();
  });
  onTheme(draw);

  return {
    element,
    setTree(next) {
      [tree, zoom, focus] = [next, 0, -1];
      again();
    },
    setMatches(next) {
      matches = next;
      draw();
    },
    setIcicle(on) {
      icicle = on;
      again();
    },
    zoom: zoomTo,
    zoomed: () => zoom,
  };
}
