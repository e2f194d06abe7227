// A run of stacks folded into one call tree, block by block, in bounded memory, at some microseconds a row. Where the tree becomes too large, whose stacks
// are is told less exactly first (results/key-detail.ts), then the lightest nodes are forgotten. From then on a node is made by chance, the sooner the more
// weight it has (sample and hold): its own weight is not whole then, and where such a node turns out to be heavy, a second reading makes all weights exact.
// Neighbours: results/stack-file.ts (the blocks), results/condense.ts (reads, and makes rows of the tree).

import { CallTree } from './call-tree.ts';
import { keyColumns } from './columns.ts';
import { FrameTable, unknownFrame, viewOf } from './frame-table.ts';
import { HotFunctions } from './hot-functions.ts';
import { KeyGroups } from './key-groups.ts';
import { keptBefore, tooLight, withoutLighter } from './lighter.ts';
import { parseJson, readable } from './row-json.ts';
import type { StackFrame, StacksShape, Value } from './shape.ts';
import { Cursor } from './stack-cursor.ts';
import { StackTable } from './stack-table.ts';
import { grown } from './sums.ts';

export interface FoldLimits {
  /** Rows that are wanted of it. */
  rows: number;
  /** Nodes of the tree. */
  nodes: number;
  /** Different keys before they are told less exactly. */
  groups: number;
  /** Different frames, and bytes of their text. */
  frames: number;
  frameBytes: number;
}

/** Of a bound this share is kept. */
const keptShare = 2;
/** Weights of a node that has no chance worth naming to be missed, in steps of `#hold`: e^-32; half of it: e^-16. */
const certain = 32;
/** As results/stack-lines.ts writes them. */
const mostNumbers = 1 << 16;

const [comma, open, close, quote, brace, newline] = [0x2c, 0x5b, 0x5d, 0x22, 0x7b, 10];

export class StackFold {
  rows = 0;
  tree: CallTree;
  frames = new FrameTable();
  functions = new HotFunctions();
  /** Keys that rows have by now, each a child of the root whose frame is −1 minus its place here. */
  readonly groups: KeyGroups;
  /** Nodes were forgotten, or not made. */
  incomplete = false;
  /** Heavier nodes than this are all there. */
  bound = 0;
  /** Such a weight makes a node, lighter ones by chance; 0: each does. */
  #hold = 0;
  #chance = 1;
  /** Nodes from here on were made late: what came before is missing in their weights. */
  #late = 0;
  /** Late nodes, or late functions, may be among the others. */
  #mixed = false;
  /** Reading again: nothing new is added. */
  #frozen = false;
  readonly #shape: StacksShape;
  readonly #limits: FoldLimits;
  /** The run's numbers of frames. */
  #numbers = new Int32Array(1 << 10);
  #count = 0;
  #key: Value[] | undefined;
  #group = 0;
  /** The stack that was read last; nodes are known to a depth of `known`. */
  #path = new Int32Array(64);
  #nodes = new Int32Array(64);
  #depth = 0;
  #known = 0;
  readonly #stacks = new StackTable();
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #cursor = new Cursor();
  readonly #expected: number;
  readonly #added = (frame: StackFrame, number: number) => this.functions.add(frame, number);

  /** `rows`, `keys`: how many will come; of keys, different ones. */
  constructor(shape: StacksShape, limits: FoldLimits, { rows, keys }: { rows: number; keys: number }) {
    this.#expected = rows;
    this.groups = new KeyGroups(shape);
    if (keys > limits.groups) this.groups.detail = 'Kinds';
    this.#shape = shape;
    this.#limits = limits;
    this.tree = new CallTree(shape.weights);
    this.#low = new Float64Array(shape.weights.length);
    this.#high = new Float64Array(shape.weights.length);
  }

  /** Throws an Error that says what is wrong with a line. */
  take(text: Buffer): void {
    const cursor = this.#cursor;
    const view = viewOf(text);
    cursor.text = text;
    cursor.at = 0;
    while (cursor.at < text.length) {
      if (text[cursor.at] === brace) this.#takeKey(cursor.line());
      else if (text[cursor.at + 1] === quote) {
        const frame = this.frames.read(text, view, cursor.at, this.#added);
        cursor.at = this.frames.end;
        if (this.#count === this.#numbers.length) this.#numbers = grown(this.#numbers, 2 * this.#count);
        if (this.#count > mostNumbers) throw new Error(`more than ${mostNumbers} frames are numbered`);
        this.#numbers[this.#count++] = frame;
      } else this.#takeRow();
    }
  }

  /** The weights are forgotten: reading the same again makes those of what is left exact. */
  again(): void {
    this.#frozen = true;
    this.frames.frozen = true;
    this.tree.clear();
    this.functions = new HotFunctions();
    for (let number = 1; number < this.frames.count; number++)
      this.functions.add(this.frames.frame(number), number);
    [this.rows, this.#count, this.#depth, this.#known, this.#key] = [0, 0, 0, 0, undefined];
  }

  #takeKey(line: string): void {
    const parsed = parseJson(line) as { key?: unknown; frames?: unknown };
    const columns = keyColumns(this.#shape);
    const { key } = parsed;
    if (!Array.isArray(key) || key.length !== columns.length)
      throw new Error(`key must be a list of ${columns.length} values`);
    this.#key = columns.map((column, i) => readable(key[i], column));
    if (parsed.frames !== undefined) {
      this.#count = 0;
      this.functions.cut(0);
      this.#depth = 0;
    }
    if (!this.#frozen) this.#shrink();
    this.#enter();
  }

  /** The group of the key; its nodes are others than those of the key before. */
  #enter(): void {
    this.#known = 0;
    if (this.#key === undefined) return;
    let group = this.groups.numberOf(this.#key);
    while (this.groups.keys.length > this.#limits.groups && this.tellLess())
      group = this.groups.numberOf(this.#key);
    this.#group = this.#frozen ? this.tree.find(0, -1 - group) : this.tree.child(0, -1 - group);
  }

  #takeRow(): void {
    const cursor = this.#cursor;
    if (this.#key === undefined) throw new Error('a row stands before any key');
    cursor.expect(open);
    const same = cursor.digits();
    if (same > this.#depth) throw new Error(`${same} frames of the row above, which has ${this.#depth}`);
    cursor.expect(comma);
    cursor.expect(open);
    this.functions.cut(same);
    this.#depth = same;
    while (!cursor.passes(close)) {
      const number = cursor.digits();
      if (number >= this.#count) throw new Error(`there is no frame ${number}`);
      this.#push(this.#numbers[number] as number);
      if (!cursor.passes(comma)) {
        cursor.expect(close);
        break;
      }
    }
    cursor.expect(comma);
    cursor.integers(this.#low, this.#high);
    cursor.expect(close);
    cursor.expect(newline);
    this.#land();
  }

  #push(frame: number): void {
    const depth = this.#depth++;
    if (depth === this.#path.length) {
      this.#path = grown(this.#path, 2 * depth);
      this.#nodes = grown(this.#nodes, 2 * depth);
    }
    this.#path[depth] = frame;
    if (this.#known > depth) this.#known = depth;
    this.functions.push(frame);
    this.#stacks.push(depth, frame);
  }

  #land(): void {
    const { tree } = this;
    const depth = this.#depth;
    this.rows++;
    this.functions.take(this.#low[0] as number, this.#high[0] as number);
    const end = depth > 0 ? this.#stacks.find(depth, this.#group) : 0;
    if (end !== 0) {
      tree.self.take(end, this.#low, this.#high);
      return;
    }
    let known = Math.min(this.#known, depth);
    let node = known > 0 ? (this.#nodes[known - 1] as number) : this.#group;
    for (; known < depth; known++) {
      const frame = this.#path[known] as number;
      const makes = !this.#frozen && this.#hold === 0;
      let callee = makes ? tree.child(node, frame) : tree.find(node, frame);
      if (callee === 0 && !this.#frozen && this.#isDue()) callee = tree.child(node, frame);
      if (callee === 0) break;
      node = callee;
      this.#nodes[known] = node;
    }
    this.#known = known;
    (known === depth ? tree.self : tree.rest).take(node, this.#low, this.#high);
    if (known === depth && depth > 0) this.#stacks.add(depth, this.#group, node);
  }

  /** By chance, as likely as the row is heavy; the same in each reading. */
  #isDue(): boolean {
    this.#chance = (Math.imul(this.#chance, 1664525) + 1013904223) >>> 0;
    const weight = (this.#low[0] as number) + (this.#high[0] as number) * 2 ** 50;
    return weight * 2 ** 32 > this.#chance * this.#hold;
  }

  /** Between keys: a key's rows are as many as its process has stacks. */
  #shrink(): void {
    const { nodes, frames, frameBytes } = this.#limits;
    if (this.frames.count > frames || this.frames.bytes > frameBytes) this.#forgetFrames();
    const helped = this.tree.size > nodes && this.tellLess() && this.tree.size <= nodes / keptShare;
    if (this.tree.size > nodes && !helped) this.#forget();
  }

  /** Keys are told less exactly. False where they can't be, or are so few that it would save little. */
  tellLess(): boolean {
    const places = this.groups.tellLess();
    if (places === undefined) return false;
    if (this.#late > 0) this.#mixed = true;
    this.#stacks.clear();
    const { tree } = this;
    this.tree = tree.without(
      () => true,
      (node) => {
        const frame = tree.frame[node] as number;
        return tree.parent[node] === 0 ? -1 - (places[-1 - frame] as number) : frame;
      },
    );
    return true;
  }

  /** The lightest nodes go, at least half of them. */
  #forget(): void {
    const { tree } = this;
    const totals = tree.totals();
    const middle = totals.toSorted().at(-Math.ceil(this.#limits.nodes / keptShare)) ?? 0;
    const least = Math.max(tooLight(tree, this.#limits.rows, totals), middle);
    this.tree = withoutLighter(tree, least, totals);
    if (this.#late === 0) this.#late = this.tree.size;
    else this.#late = keptBefore(tree, this.#late, least, totals);
    this.incomplete = true;
    this.#hold = Math.max(this.#hold, (least * Math.max(1, this.#expected / this.rows)) / certain);
    this.bound = Math.max(this.bound, least + (this.#hold * certain) / 2, this.#hold * certain);
    this.#stacks.clear();
  }

  /** Ends a reading in which not every node was made at once: late nodes go, if none of them can be heavy. False where the rows must be read again. */
  settle(): boolean {
    if (this.#mixed) return false;
    const { tree } = this;
    const totals = tree.totals();
    const least = Math.max(this.bound, tooLight(tree, this.#limits.rows, totals)) / 2;
    // Groups are made at once.
    const heavy = (node: number) => (totals[node] as number) > least && tree.parent[node] !== 0;
    for (let node = this.#late; node < tree.size; node++) if (heavy(node)) return false;
    this.tree = tree.without(
      (node) => node < this.#late,
      (node) => tree.frame[node] as number,
    );
    return true;
  }

  /** Frames go that no node and no heavy function needs. */
  #forgetFrames(): void {
    const { tree, frames } = this;
    this.functions.cut(0);
    const needed = this.functions.heavy(frames.count, Math.ceil(this.#limits.frames / keptShare));
    const totals = tree.totals();
    const least = totals.toSorted().at(-Math.ceil(this.#limits.frames / keptShare)) ?? 0;
    const kept = (node: number) => (totals[node] as number) > least || tree.parent[node] === 0;
    for (let node = 1; node < tree.size; node++) {
      const frame = tree.frame[node] as number;
      if (frame > 0 && kept(node)) needed[frame] = 1;
    }
    // The run that is being read goes on with its numbers.
    for (let i = 0; i < this.#count; i++) needed[this.#numbers[i] as number] = 1;
    const numbers = frames.keep(needed);
    this.functions = this.functions.renumbered(numbers, (number) => frames.frame(number));
    this.tree = tree.without(
      (node) => kept(node) && ((tree.frame[node] as number) < 0 || numbers[tree.frame[node] as number] !== 0),
      (node) => {
        const frame = tree.frame[node] as number;
        return frame < 0 ? frame : (numbers[frame] as number);
      },
    );
    for (let i = 0; i < this.#count; i++) this.#numbers[i] = numbers[this.#numbers[i] as number] as number;
    [this.incomplete, this.#mixed] = [true, true];
    this.#stacks.clear();
    this.bound = Math.max(this.bound, least) + Math.max(0, least);
    const path = this.#path.slice(0, this.#depth);
    this.#depth = 0;
    for (const frame of path) this.#push(frame === unknownFrame ? frame : (numbers[frame] as number));
  }
}
