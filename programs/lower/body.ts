// What is known while the code of one program is written: its function, its room, its variables. A loop's callback is a function of its own with
// the same room. Neighbours: programs/lower/program.ts (begins and ends one), memory.ts, expression.ts, statement.ts (write into it).

import type { CheckedProbe, CheckedVariable } from '../check/checked.ts';
import type { Register } from '../ir.ts';
import { up } from '../layout.ts';
import type { Span } from '../source.ts';
import { Builder } from './builder.ts';
import { helper } from './kernel-helpers.ts';
import type { Place } from './place.ts';
import { CannotLower, mostScratch, type Shared, scratchMap } from './shared.ts';

/** What a program and its callbacks share: how much of its scratch is taken. */
export interface Room {
  taken: number;
  most: number;
  used: boolean;
  /** Its entry in the scratch map; null: it has none yet. */
  part: number | null;
}

export interface Loop {
  /** Blocks, or what a callback returns. */
  break: () => void;
  continue: () => void;
}

/** All frames of a program together leave room for what the registers spill. */
const mostFrames = 200;

export class Body {
  readonly f = new Builder();
  readonly shared: Shared;
  readonly probe: CheckedProbe;
  readonly room: Room;
  /** Of the outermost function: what its functions are named after. */
  readonly name: string;
  /** In Compiled.probes, of the first that shares the program. */
  readonly index: number;
  /** The scope id of who is traced. */
  container: Register;
  context: Register;
  scratch: Register;
  /** Registers of scalars; places of all else, and of what a callback uses. */
  readonly variables: Map<CheckedVariable, Register | Place>;
  /** Variables that a callback uses: in the scratch, where both see them. */
  readonly captured: ReadonlySet<CheckedVariable>;
  readonly loops: Loop[] = [];
  /** Leaves the probe. */
  leave: () => void = () => this.f.return({ value: 0n });
  callbacks = { count: 0 };
  private freeFrames: { frame: number; size: number }[] = [];
  private temporaries: { frame: number; size: number }[] = [];

  constructor(of: Pick<Body, 'shared' | 'probe' | 'name' | 'index' | 'captured'>, outer?: Body) {
    this.shared = of.shared;
    this.probe = of.probe;
    this.name = of.name;
    this.index = of.index;
    this.captured = of.captured;
    this.room = outer?.room ?? { taken: 0, most: 0, used: false, part: null };
    this.variables = outer === undefined ? new Map() : new Map(outer.variables);
    if (outer !== undefined) this.callbacks = outer.callbacks;
    this.container = this.f.register();
    this.context = this.f.register();
    this.scratch = this.f.register();
  }

  /** Memory until the statement ends; on the stack where it is small. */
  temporary(size: number, span: Span): Place {
    if (size <= 96) {
      const wanted = up(Math.max(size, 8), 8);
      const free = this.freeFrames.findIndex((frame) => frame.size === wanted);
      const known = free < 0 ? undefined : this.freeFrames.splice(free, 1)[0];
      const all = this.f.frames.reduce((sum, frame) => sum + frame, 0);
      if (known !== undefined || all + wanted <= mostFrames) {
        const frame = known ?? { frame: this.f.frames.push(wanted) - 1, size: wanted };
        this.temporaries.push(frame);
        return { at: 'frame', frame: frame.frame, offset: 0 };
      }
    }
    return this.inScratch(size, span);
  }

  inScratch(size: number, span: Span): Place {
    const offset = this.room.taken;
    this.room.taken = up(offset + Math.max(size, 8), 8);
    this.room.most = Math.max(this.room.most, this.room.taken);
    if (this.room.taken > mostScratch)
      throw new CannotLower(
        `the values of this probe need more than ${mostScratch / 1024} KiB at once: make max_strlen smaller, or give str() and buf() a length`,
        span,
      );
    this.room.used = true;
    return { at: 'scratch', offset };
  }

  /** Memory for as long as the program runs. */
  lasting(size: number, span: Span): Place {
    return this.inScratch(size, span);
  }

  /** Writes what finds the scratch, where it is used; goes to `missing` where the kernel has none, which does not happen. */
  findScratch(missing: () => void): void {
    this.room.part ??= this.shared.scratchParts++;
    const key = this.f.frame(this.f.frames.push(8) - 1);
    this.f.store(key, 0, 4, { value: BigInt(this.room.part) });
    this.f.move(this.scratch, this.f.helper(helper.mapLookup, this.f.map(scratchMap), key));
    this.f.when('eq', this.scratch, { value: 0n }, missing);
  }

  /** Writes a statement; its temporaries are free after it, what lasts is not. */
  statement(write: () => void): void {
    const outer = this.temporaries;
    const taken = this.room.taken;
    const before = new Set(this.variables.keys());
    this.temporaries = [];
    write();
    this.freeFrames.push(...this.temporaries);
    this.temporaries = outer;
    // A variable that came with the statement lies above its temporaries: then they stay taken.
    const lasting = [...this.variables].some(
      ([variable, where]) => !before.has(variable) && typeof where !== 'number',
    );
    if (!lasting) this.room.taken = taken;
  }
}
