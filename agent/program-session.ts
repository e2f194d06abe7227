// One run of a compiled program on this node: link and load → scope → begin → attach → records as they come → detach → end → maps.
// Neighbours: programs/compiled.ts (what is run), agent/scope-programs.ts and agent/scope.ts (whom it sees), agent/program-attach.ts,
// agent/program-records.ts, agent/program-maps.ts, agent/program-names.ts; cli/program.ts calls it.

import type { BpfObject, Link, Mappings, Native } from '../native/api.ts';
import type { Compiled, CompiledMap } from '../programs/compiled.ts';
import { helperText } from '../programs/show/helper-errors.ts';
import { type Asked, type RecordBatch, recordReader } from '../programs/show/records.ts';
import type { ResultMeta } from '../results/shape.ts';
import { attachPrograms } from './attach.ts';
import { AgentError } from './errors.ts';
import { objectPath } from './objects.ts';
import type { Target } from './plan.ts';
import { addProcesses, control } from './prepare.ts';
import { attachFeatures, attachProbes, attachSteps, prepareMany, runsByHand } from './program-attach.ts';
import { asProgramError } from './program-errors.ts';
import { type ProgramMaps, programMaps } from './program-maps.ts';
import { bootTime, clockOffsets, type ProgramNames, programNames } from './program-names.ts';
import type { PathContext } from './program-paths.ts';
import { drainRecords, type ProgramRecords } from './program-records.ts';
import {
  collectResults,
  type ProgramResult,
  type ResultsCollector,
  type ResultsRequest,
} from './program-results.ts';
import { catText, messageOf, tellLosses } from './program-words.ts';
import { type ProgramWriter, programWriter } from './program-writer.ts';
import {
  type EnteredGroups,
  enterScope,
  processesInScope,
  type ScopeMaps,
  scopeMaps,
  targetsLeft,
} from './scope.ts';
import { followingPrograms, scopeKinds, sizeScope } from './scope-programs.ts';

export interface ProgramRequest {
  compiled: Compiled;
  source: { name: string; text: string };
  /** Empty: the whole node. */
  targets: Target[];
  paths: PathContext;
  possibleCpus: number;
  format: 'text' | 'json';
  /** The program's output, in its order. */
  write(text: string): void;
  /** Its errors and warnings. */
  say(text: string): void;
  /** The output is a terminal: control characters of the traced are shown as such. */
  terminal?: boolean;
  /** Whether helpers' errors are told (bpftrace's -k). Absent: they are. */
  helperErrors?: boolean;
  /** Absent: what it prints is all. */
  results?: ResultsRequest;
}

export interface ProgramEnd {
  /** What exit() was given. */
  code: number;
  startTime: bigint;
  completionTime: bigint;
  /** As many as ProgramRequest.results asks for: none, or all. */
  results: ProgramResult[];
}

export interface ProgramSession {
  /** How many places are attached, begin and end among them. */
  attached: number;
  /** Programs of begin and end alone end by themselves. */
  endsByItself: boolean;
  /** Signals of this process's own that probes wait for (self:signal:SIGUSR1). */
  signals: string[];
  /** One of them came. */
  signalled(name: string): void;
  /** Ends it: end probes run, maps are printed. Calls after the first change nothing. */
  stop(why?: ResultMeta['ended']): void;
  /** Resolves when everything is printed and nothing is held any more, but what `object` needs. */
  finished: Promise<ProgramEnd>;
  object: BpfObject;
  maps: ProgramMaps;
  names: ProgramNames;
  /** After finished. */
  close(): void;
}

interface Held {
  object: BpfObject;
  links: Link[];
  mappings?: Mappings;
  records?: ProgramRecords;
  names?: ProgramNames;
  results?: ResultsCollector;
  writer?: ProgramWriter;
  timer?: NodeJS.Timeout;
}

/** Throws AgentError; nothing stays loaded then. */
export async function startProgram(request: ProgramRequest, native: Native): Promise<ProgramSession> {
  const object = openProgram(request.compiled, native);
  const held: Held = { object, links: [] };
  try {
    return await run(request, native, held);
  } catch (error) {
    await release(held);
    throw asProgramError(error);
  }
}

async function release(held: Held): Promise<void> {
  clearInterval(held.timer);
  for (const link of held.links.splice(0)) link.close();
  held.mappings?.close();
  await held.records?.stop().catch(() => undefined);
  await held.writer?.close();
  held.results?.close();
  held.names?.close();
  held.object.close();
}

function openProgram(compiled: Compiled, native: Native): BpfObject {
  try {
    return native.openLinked([objectPath('program'), compiled.object]);
  } catch (error) {
    throw asProgramError(error);
  }
}

async function run(request: ProgramRequest, native: Native, held: Held): Promise<ProgramSession> {
  const { compiled, targets } = request;
  const { object, links } = held;
  const kinds = scopeKinds(targets, false);
  const following = followingPrograms(kinds);
  const steps = attachSteps(compiled.probes, attachFeatures(native, compiled.probes), request.paths);

  sizeScope(object, kinds, false);
  object.setVariable('scope_all', targets.length === 0 ? 1n : 0n);
  sizeMaps(object, compiled);
  prepareMany(object, steps);
  for (const { program } of [...following, ...compiled.probes]) object.setAutoload(program, true);
  object.load();
  control(object, { sampleEvery: 1, containers: Math.max(1, targets.length) });

  const sections = new Map(object.programs.map(({ name, section }) => [name, section]));
  const scope = scopeMaps(object);
  links.push(...attachPrograms(object, following, sections, 'the scope').links);
  const entered = await enterScope(targets, scope);
  if (compiled.needsMappings) {
    held.mappings = native.openMappings();
    addProcesses(held.mappings, await processesInScope(targets));
  }
  const life = live(request, native, held, { scope, entered });

  for (const { program, attach } of compiled.probes) if (attach.kind === 'begin') object.run(program);
  const places = attachProbes(object, steps, compiled.config.missingProbes, links, (message) =>
    request.say(`WARNING: ${message}\n`),
  );
  object.setVariable('program_started', bootTime(native));
  const byHand = compiled.probes.filter(runsByHand);
  life.attached();
  for (const { program, attach } of byHand) if (attach.kind === 'iter') object.iterate(program);
  return { ...life.session, attached: places + byHand.length };
}

/** Rings and stacks that the program does not use take no room. */
function sizeMaps(object: BpfObject, compiled: Compiled): void {
  if (compiled.outputs.length === 0) object.setMaxEntries('events', 4096);
  const text = JSON.stringify(
    [compiled.outputs, compiled.maps.map(({ key, value }) => [key, value])],
    (_, value) => (typeof value === 'bigint' ? `${value}` : value),
  );
  if (text.includes('"kind":"stack"')) return;
  object.setMaxEntries('stacks', 1);
  object.setMaxEntries('stack_owners', 1);
}

interface Life {
  session: Omit<ProgramSession, 'attached'>;
  /** From now on it may end. */
  attached(): void;
}

/** How often it is looked whether the targets are still there. */
const tickMs = 200;

function live(
  request: ProgramRequest,
  native: Native,
  held: Held,
  { scope, entered }: { scope: ScopeMaps; entered: EnteredGroups },
): Life {
  const { compiled, format, write, say, targets } = request;
  const { object } = held;
  const names = programNames({
    native,
    object,
    compiled,
    terminal: request.terminal === true,
    ...(held.mappings === undefined ? {} : { mappings: held.mappings }),
  });
  held.names = names;
  const maps = programMaps(object, compiled, request.possibleCpus);
  const reader = recordReader(compiled, format, names);
  if (request.results !== undefined)
    held.results = collectResults({
      native,
      object,
      compiled,
      source: request.source,
      targets,
      reader,
      maps,
      names,
      request: request.results,
    });
  const { results } = held;
  const { promise: finished, resolve, reject } = Promise.withResolvers<ProgramEnd>();
  const { promise: ready, resolve: attached } = Promise.withResolvers<void>();
  let startTime = native.clocks().realtime;
  let code = 0;
  let wantedFrom = 0n;
  /** When end probes began to run, on the records' clock. */
  let endedAt: bigint | undefined;
  let ending = false;
  let ended: ResultMeta['ended'] = 'Stopped';
  const told = new Set<string>();

  const stop = (why: ResultMeta['ended'] = 'Stopped'): void => {
    if (ending) return;
    ended = why;
    ending = true;
    clearInterval(held.timer);
    ready.then(finish).then(resolve, reject);
  };

  const act = async (batch: RecordBatch, row: number): Promise<void> => {
    const asked = await names.named(() => reader.asked(batch, row));
    if (asked.kind === 'exit') {
      code = asked.code;
      // What was seen after it is not shown; what end says is.
      wantedFrom = endedAt ?? 2n ** 64n - 1n;
      return stop();
    }
    await perform(asked);
  };

  const perform = async (asked: Exclude<Asked, { kind: 'exit' }>): Promise<void> => {
    switch (asked.kind) {
      case 'text':
        return write(asked.text);
      case 'message':
        return say(messageOf(request.source, format, asked));
      case 'cat':
        return write(catText(asked.path, compiled.config.maxCatBytes, format, say));
      case 'printMap': {
        const map = mapNamed(asked.output.map);
        return write(await names.named(() => maps.print(map, asked.output, format, names)));
      }
      case 'printMapEntry': {
        const map = mapNamed(asked.map);
        return write(await names.named(() => maps.printEntry(map, asked.keys, format, names)));
      }
      case 'clear':
        return maps.clear(mapNamed(asked.map));
      case 'zero':
        return maps.zero(mapNamed(asked.map));
      case 'helperError': {
        // What is wrong in the program itself is always told.
        if (request.helperErrors === false && asked.output.helper !== 'divide') return;
        const text = helperText(asked.output, asked.error, request.source, format);
        // Once for each place: a full map would fill the screen.
        if (!told.has(text)) (format === 'json' ? write : say)(text);
        told.add(text);
      }
    }
  };

  const mapNamed = (name: string): CompiledMap => {
    const map = maps.named(name);
    if (map === undefined) throw new AgentError('Internal', `the program prints ${name}, which it has not`);
    return map;
  };

  const writer = programWriter(reader, {
    program: { outputs: compiled.outputs, layouts: compiled.layouts, enums: compiled.enums },
    truncated: compiled.config.strTruncTrailer,
    terminal: request.terminal === true,
    format,
    clocks: clockOffsets(native),
  });
  held.writer = writer;
  held.records = drainRecords({
    native,
    object,
    reader,
    segments: (batch) => writer.segments(batch),
    write,
    act,
    ...(results === undefined ? {} : { keep: (batch) => results.keep(batch) }),
    wantedFrom: () => wantedFrom,
  });

  held.timer = setInterval(() => {
    if (targets.length === 0) return;
    targetsLeft(targets, entered, scope.processes).then((left) => {
      if (left === 0) stop('TargetGone');
    }, reject);
  }, tickMs);

  const finish = async (): Promise<ProgramEnd> => {
    try {
      for (const link of held.links.splice(0)) link.close();
      const completionTime = native.clocks().realtime;
      endedAt = native.clocks().monotonic;
      if (wantedFrom !== 0n) wantedFrom = endedAt;
      for (const { program, attach } of compiled.probes) if (attach.kind === 'end') object.run(program);
      await held.records?.stop();
      const failure = held.records?.failure();
      if (failure !== undefined) throw failure;
      tellLosses(object, format, write, say);
      if (format === 'text') write('\n\n');
      if (compiled.config.printMapsOnExit)
        for (const map of [...compiled.maps].sort((a, b) => (a.name < b.name ? -1 : 1)))
          write(await names.named(() => maps.print(map, { top: null, divisor: null }, format, names)));
      const made = (await results?.finish({ startTime, completionTime, ended })) ?? [];
      return { code, startTime, completionTime, results: made };
    } catch (error) {
      await release(held);
      throw asProgramError(error);
    }
  };

  return {
    session: {
      signals: compiled.probes.flatMap(({ attach }) => (attach.kind === 'self' ? [attach.signal] : [])),
      signalled(name) {
        if (ending) return;
        for (const { program, attach } of compiled.probes)
          if (attach.kind === 'self' && attach.signal === name) object.run(program);
      },
      endsByItself: compiled.probes.every(({ attach }) => ['begin', 'end', 'iter'].includes(attach.kind)),
      stop,
      finished,
      object,
      maps,
      names,
      close: () => void release(held),
    },
    attached() {
      startTime = native.clocks().realtime;
      attached();
    },
  };
}
