// Events over the time of the job: bars by step, a range chosen by dragging, by arrow keys or by typing seconds. Neighbours: events.ts.

import { formatCount } from '../../units.ts';
import { amount } from '../amounts.ts';
import { button, h, onTheme, themeColour } from './dom.ts';

const height = 110;
const axis = 20;

export interface Timeline {
  element: HTMLElement;
  /** Seconds since the start; undefined: everything. */
  range(): [from: number, to: number] | undefined;
  /** What is shown now, counted by step, drawn over what there is. */
  setShown(counts: number[]): void;
  steps: number;
  stepSeconds: number;
}

/** Draws `all` (every event of the result by step); `change` is called when another range is chosen. */
export function timeline(all: number[], stepSeconds: number, change: () => void): Timeline {
  const canvas = h('canvas', {
    class: 'timeline',
    tabindex: 0,
    role: 'application',
    'aria-label': 'Events over time. Drag to choose a range; with the keyboard use the boxes below.',
  });
  const duration = all.length * stepSeconds;
  let chosen: [number, number] | undefined;
  let shown: number[] = all;
  let dragging: number | undefined;
  const bound = (seconds: number) => Math.min(duration, Math.max(0, seconds));
  const box = (title: string) =>
    h('input', { type: 'number', step: 'any', min: 0, 'aria-label': title, class: 'seconds', change: typed });
  const from = box('From, seconds since the start');
  const to = box('To, seconds since the start');
  const clear = button('All', () => choose(undefined));
  const status = h('span', { class: 'muted', role: 'status' });

  function typed(): void {
    const [a, b] = [Number(from.value || 0), to.value === '' ? duration : Number(to.value)];
    choose([bound(Math.min(a, b)), bound(Math.max(a, b))]);
  }

  function choose(range: [number, number] | undefined): void {
    chosen = range;
    from.value = range === undefined ? '' : range[0].toFixed(3);
    to.value = range === undefined ? '' : range[1].toFixed(3);
    draw();
    change();
  }

  function draw(): void {
    const context = canvas.getContext('2d');
    const width = canvas.clientWidth;
    if (context === null || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const most = Math.max(1, ...all);
    const wide = width / all.length;
    const layer = (counts: number[], colour: string) => {
      context.fillStyle = colour;
      counts.forEach((count, i) => {
        if (count === 0) return;
        const tall = Math.max(1, ((height - axis - 8) * count) / most);
        context.fillRect(i * wide, height - axis - tall, Math.max(wide - (wide > 4 ? 1 : 0), 0.6), tall);
      });
    };
    layer(all, themeColour('--pale'));
    layer(shown, themeColour('--accent'));
    context.fillStyle = themeColour('--muted');
    context.font = '11px system-ui, sans-serif';
    const marks = Math.max(2, Math.floor(width / 120));
    for (let i = 0; i <= marks; i++) {
      const x = (width * i) / marks;
      context.textAlign = i === 0 ? 'left' : i === marks ? 'right' : 'center';
      context.fillText(`+${((duration * i) / marks).toPrecision(3)} s`, x, height - 5);
    }
    context.textAlign = 'left';
    context.fillText(`${formatCount(most)} in ${amount(stepSeconds * 1e9, 'ns')}`, 2, 11);
    if (chosen === undefined) return;
    context.fillStyle = themeColour('--brush');
    const [a, b] = chosen;
    context.fillRect((a / duration) * width, 0, Math.max(2, ((b - a) / duration) * width), height - axis);
  }

  const secondsAt = (event: PointerEvent) => {
    const bounds = canvas.getBoundingClientRect();
    return bound(((event.clientX - bounds.left) / bounds.width) * duration);
  };
  canvas.addEventListener('pointerdown', (event) => {
    dragging = secondsAt(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const now = secondsAt(event);
    const step = Math.min(all.length - 1, Math.floor(now / stepSeconds));
    status.textContent = `+${now.toFixed(3)} s: ${formatCount(all[step] ?? 0)} events in ${amount(stepSeconds * 1e9, 'ns')}`;
    if (dragging === undefined) return;
    chosen = [Math.min(dragging, now), Math.max(dragging, now)];
    draw();
  });
  canvas.addEventListener('pointerup', (event) => {
    if (dragging === undefined) return;
    const [a, b] = [dragging, secondsAt(event)];
    dragging = undefined;
    // A click without a drag takes the choice back.
    choose(Math.abs(b - a) < duration / 500 ? undefined : [Math.min(a, b), Math.max(a, b)]);
  });
  new ResizeObserver(draw).observe(canvas);
  onTheme(draw);
  const element = h(
    'div',
    {},
    canvas,
    h('div', { class: 'toolbar' }, 'from', from, 'to', to, 's', clear, h('span', { class: 'grow' }), status),
  );
  return {
    element,
    range: () => chosen,
    setShown(counts) {
      shown = counts;
      draw();
    },
    steps: all.length,
    stepSeconds,
  };
}
