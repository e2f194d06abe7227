// The script inside flamegraph.svg: hover, zoom, search. It moves what ../flamegraph.ts drew, and adds nothing: without it the picture is whole.

import type { Unit } from '../../shape.ts';
import { amount, percent } from '../amounts.ts';
import { gapped } from '../frame-look.ts';
import { searchPattern } from '../search.ts';

interface Frame {
  group: Element;
  rect: Element;
  text: Element;
  name: string;
  colour: string;
  start: number;
  total: number;
  level: number;
}

const root = document.documentElement;
const side = Number(root.dataset.side);
const letter = Number(root.dataset.letter);
const unit = (root.dataset.unit || undefined) as Unit | undefined;
const inner = Number(root.getAttribute('width')) - 2 * side;
const details = document.getElementById('details');
const matched = document.getElementById('matched');
const resetButton = document.getElementById('reset');
const searchButton = document.getElementById('search');

const frames: Frame[] = [];
for (const group of document.querySelectorAll<SVGGElement>('.f')) {
  const [title, rect, text] = group.children;
  if (title === undefined || rect === undefined || text === undefined) continue;
  const [start = 0, total = 0, level = 0] = (group.dataset.v ?? '').split(' ').map(Number);
  const name = title.textContent.split('\n')[0] ?? '';
  frames.push({ group, rect, text, name, colour: rect.getAttribute('fill') ?? '', start, total, level });
}
const everything = frames[0];
let zoomed = everything;
let pattern: RegExp | undefined;

function place(frame: Frame, x: number, width: number): void {
  const room = Math.floor((width - 6) / letter);
  frame.rect.setAttribute('x', String(x));
  frame.rect.setAttribute('width', String(gapped(width)));
  frame.text.setAttribute('x', String(x + 3));
  const cut = frame.name.length <= room ? frame.name : `${frame.name.slice(0, room - 2)}..`;
  frame.text.textContent = room < 3 ? '' : cut;
}

function zoom(to: Frame): void {
  zoomed = to;
  const end = to.start + to.total;
  for (const frame of frames) {
    const inside = frame.level >= to.level && frame.start >= to.start && frame.start + frame.total <= end;
    const above = frame.level < to.level && frame.start <= to.start && frame.start + frame.total >= end;
    frame.group.classList.toggle('h', !inside && !above);
    frame.group.classList.toggle('p', above);
    if (above) place(frame, side, inner);
    if (!inside) continue;
    const scale = inner / to.total;
    place(frame, side + (frame.start - to.start) * scale, frame.total * scale);
  }
  resetButton?.setAttribute('visibility', to === everything ? 'hidden' : 'visible');
  highlight();
}

/** Colours what matches and says its share of what is zoomed to; a stack counts once, by its outermost match. */
function highlight(): void {
  const found: Frame[] = [];
  for (const frame of frames) {
    const hit = pattern?.test(frame.name) === true && frame !== everything;
    frame.rect.setAttribute('fill', hit ? '#e879f9' : frame.colour);
    if (hit && !frame.group.matches('.h, .p')) found.push(frame);
  }
  // In order of place and level, what begins before the end of the one before lies inside it.
  found.sort((a, b) => a.start - b.start || a.level - b.level);
  let sum = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const frame of found) {
    if (frame.start < end) continue;
    sum += frame.total;
    end = frame.start + frame.total;
  }
  if (matched !== null && zoomed !== undefined)
    matched.textContent =
      pattern === undefined ? '' : `Matched: ${percent(sum, zoomed.total)} (${amount(sum, unit)})`;
  if (searchButton !== null) searchButton.textContent = pattern === undefined ? 'Search' : 'Clear search';
}

function search(): void {
  if (pattern === undefined) {
    const text = window.prompt('Search functions (regular expression)', '');
    if (text) pattern = searchPattern(text);
  } else pattern = undefined;
  highlight();
}

function frameAt(event: Event): Frame | undefined {
  const group = event.target instanceof Element ? event.target.closest('.f') : null;
  return frames.find((frame) => frame.group === group);
}

document.addEventListener('mouseover', (event) => {
  const title = frameAt(event)?.group.firstElementChild?.textContent ?? '';
  if (details !== null) details.textContent = title.split('\n').join(' · ');
});
document.addEventListener('click', (event) => {
  const frame = frameAt(event);
  if (frame !== undefined) zoom(frame);
});
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
    event.preventDefault();
    pattern = undefined;
    search();
  } else if (event.key === 'Escape' && everything !== undefined) zoom(everything);
});
resetButton?.addEventListener('click', () => {
  if (everything !== undefined) zoom(everything);
});
searchButton?.addEventListener('click', search);
searchButton?.setAttribute('visibility', 'visible');
