// Writes flamegraph.svg: one picture that viewers without scripts show whole, and in which a browser zooms and searches. Neighbours: results/tree.ts
// folds the stacks, browser/flamegraph.ts is the script inside, frame-look.ts the colours.

import { ownerName } from '../columns.ts';
import { escapeHtml, escapeTerminal } from '../escape.ts';
import type { ResultMeta, StacksShape } from '../shape.ts';
import type { TreeNode } from '../tree.ts';
import { formatAmount } from '../units.ts';
import { exact, percent } from './amounts.ts';
import { asset } from './assets.ts';
import { frameColour, gapped, kindColour } from './frame-look.ts';

export interface FlamegraphOptions {
  /** Stands at the top; absent: the trace and job. */
  title?: string;
  /** px; 1200. */
  width?: number;
  /** Frames narrower than this many px are not drawn; 0.1. */
  narrowest?: number;
  /** Frames drawn at most, the widest; 12,000: about 3 MB, and a browser still answers at once. */
  frames?: number;
  /** Levels drawn at most; 400. */
  levels?: number;
  /** Stands at the bottom. */
  note?: string;
}

const row = 18;
const fontSize = 12;
/** Of the monospaced fonts named below, in px; texts are cut by it, since a picture can't measure. */
const letter = 7.25;
const side = 10;
const head = 66;
const foot = 52;

interface Box {
  node: TreeNode;
  start: bigint;
  level: number;
}

/** Boxes that are wide enough, callers first, and how many frames were not. Without recursion: a hostile stack may be deep. */
function layOut(
  tree: TreeNode,
  pxPerUnit: number,
  options: Required<Limits>,
): { boxes: Box[]; left: number } {
  const boxes: Box[] = [];
  let left = 0;
  const todo: (Box & { drawn: boolean })[] = [{ node: tree, start: 0n, level: 0, drawn: true }];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const { node, level } = at;
    const wide = Number(node.total) * pxPerUnit >= options.narrowest;
    const drawn = at.drawn && (level === 0 || (wide && level <= options.levels));
    if (drawn) boxes.push({ node, start: at.start, level });
    else left++;
    let { start } = at;
    for (const child of node.children) {
      todo.push({ node: child, start, level: level + 1, drawn });
      start += child.total;
    }
  }
  if (boxes.length <= options.frames) return { boxes, left };
  // A caller is never narrower than what it calls: the widest frames hang together.
  const widths = boxes.map((box) => Number(box.node.total)).sort((a, b) => b - a);
  const threshold = widths[options.frames] ?? 0;
  const kept = boxes.filter((box) => box.level === 0 || Number(box.node.total) > threshold);
  return { boxes: kept, left: left + boxes.length - kept.length };
}

type Limits = Pick<FlamegraphOptions, 'narrowest' | 'frames' | 'levels'>;

function fit(name: string, width: number): string {
  const room = Math.floor((width - 6) / letter);
  if (room < 3) return '';
  return name.length <= room ? name : `${name.slice(0, room - 2)}..`;
}

/** Escaped for XML: what XML 1.0 can't hold in any spelling is a mark already after escapeHtml, but for these two. */
function xml(text: string, limit?: number): string {
  return escapeHtml(text.replace(/[\ufffe\uffff]/g, '\ufffd'), limit);
}

function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const kindNames = { user: 'user', inlined: 'inlined', jit: 'JIT', kernel: 'kernel' } as const;

/** What the colours mean, of the kinds that are there, right-aligned. */
function legend(boxes: Box[], right: number, y: number): string {
  const present = new Set(boxes.map((box) => box.node.kind));
  const kinds = (['kernel', 'jit', 'inlined', 'user'] as const).filter((kind) => present.has(kind));
  let x = right;
  const parts = kinds.map((kind) => {
    const name = kindNames[kind];
    x -= name.length * 6.7 + 24;
    return `<rect x="${px(x)}" y="${y - 9}" width="10" height="10" fill="${kindColour(kind)}"/><text x="${px(x + 14)}" y="${y}">${name}</text>`;
  });
  return parts.join('');
}

/** The whole file as text. `tree` is weighted by one of the shape's weights, the first unless the caller chose another; its unit is said. */
export function renderFlamegraph(tree: TreeNode, meta: ResultMeta, options: FlamegraphOptions = {}): string {
  const { width = 1200, narrowest = 0.1, frames = 12_000, levels = 400 } = options;
  const weight = (meta.shape as StacksShape).weights[0];
  const whole = Number(tree.total);
  const inner = width - 2 * side;
  const scale = whole === 0 ? 0 : inner / whole;
  const { boxes, left } = layOut(tree, scale, { narrowest, frames, levels });
  const deepest = boxes.reduce((most, box) => Math.max(most, box.level), 0);
  const height = head + (deepest + 1) * row + foot;
  const bottom = head + (deepest + 1) * row;

  const amount = (of: bigint) => {
    const scaledText = formatAmount(of, weight?.unit);
    return weight?.unit === 'ns' || weight?.unit === 'bytes' ? scaledText : exact(of, weight?.unit);
  };
  const parts = boxes.map(({ node, start, level }) => {
    const x = side + Number(start) * scale;
    const wide = level === 0 ? inner : Number(node.total) * scale;
    const y = bottom - (level + 1) * row;
    const isFrame = node.kind !== 'root' && node.kind !== 'container' && node.kind !== 'process';
    const kind =
      node.kind === 'root' || node.kind === 'container' || node.kind === 'process' ? 'plain' : node.kind;
    // A character counts as one letter; the marks for hidden ones are counted as they will be seen.
    const text = xml(fit(escapeTerminal(node.name, 300), wide));
    const about = isFrame
      ? [node.kind, node.module].filter((part) => part !== undefined).join(', ')
      : node.kind;
    return (
      `<g class="f" data-v="${start} ${node.total} ${level}"><title>${xml(node.name, 1000)}\n` +
      `${amount(node.total)} (${percent(Number(node.total), whole)})\n${xml(about, 1000)}</title>` +
      `<rect x="${px(x)}" y="${y}" width="${px(gapped(wide))}" height="${row - 1}" fill="${frameColour(kind, node.name, node.module)}"/>` +
      `<text x="${px(x + 3)}" y="${y + 12.5}">${text}</text></g>\n`
    );
  });

  const job = meta.job.namespace === null ? meta.job.name : `${meta.job.namespace}/${meta.job.name}`;
  const seconds = Number(meta.completionTime - meta.startTime) / 1e9;
  // A job without a file has its gadget's name, which says nothing about what was traced.
  const [only, ...others] = meta.owners;
  const traced = job === meta.trace.name && only && others.length === 0 ? ownerName(only) : job;
  const title = options.title ?? `${meta.trace.name} of ${traced}`;
  const own = options.title !== undefined;
  const about = own ? [meta.trace.name, job] : [];
  about.push(`${amount(tree.total)} in ${seconds.toFixed(1)} s`);
  const nodes = new Set(meta.owners.map((owner) => owner.node));
  about.push(nodes.size === 1 ? `on ${[...nodes].join('')}` : `${nodes.size} nodes`);
  const inUnit = weight?.unit === undefined || weight.unit === weight.name ? '' : ` (${weight.unit})`;
  about.push(`width: ${weight?.name ?? 'weight'}${inUnit}`);
  if (meta.events.lost > 0n) about.push(`${meta.events.lost} events lost`);
  const narrow =
    left === 0
      ? ''
      : `${left.toLocaleString('en-US')} frames too narrow or too deep to draw are counted in their callers`;
  const note = [options.note ?? '', narrow].filter((part) => part !== '').join('. ');
  const script = asset('flamegraph.js');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by Sonde. Open it in a browser to zoom (click), search (Ctrl-F) and reset; other viewers show the whole picture. -->
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${fontSize}" fill="#1c1917" data-side="${side}" data-letter="${letter}" data-unit="${weight?.unit ?? ''}">
<title>${xml(title, 300)}</title>
<style>.f:hover rect{stroke:#1c1917;stroke-width:1}.f,.b{cursor:pointer}.f text{pointer-events:none}.p rect{opacity:.5}.h{display:none}</style>
<rect width="${width}" height="${height}" rx="6" fill="#fbfaf8"/>
<text x="${width / 2}" y="26" text-anchor="middle" font-size="17" font-weight="bold" font-family="system-ui, 'DejaVu Sans', sans-serif">${xml(title, Math.floor(width / 13))}</text>
<text x="${width / 2}" y="46" text-anchor="middle" fill="#57534e">${xml(about.join(' · '), Math.floor(width / letter))}</text>
<text id="reset" class="b" x="${side}" y="26" visibility="hidden" role="button" fill="#1d4ed8">Reset zoom</text>
<text id="search" class="b" x="${width - side}" y="26" text-anchor="end" visibility="hidden" role="button" fill="#1d4ed8">Search</text>
<g id="frames">
${parts.join('')}</g>
<text id="details" x="${side}" y="${bottom + 20}"></text>
<text id="matched" x="${width - side}" y="${bottom + 20}" text-anchor="end" font-weight="bold" fill="#a21caf"></text>
<g font-size="11"><text x="${side}" y="${bottom + 40}" fill="#57534e">${xml(note, 400)}</text>${legend(boxes, width - side, bottom + 40)}</g>
<script><![CDATA[${script}]]></script>
</svg>
`;
}
