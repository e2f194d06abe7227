// Places in the kernel: tracepoints, raw tracepoints, functions, iterators; wildcards are expanded here. Neighbours: place.ts, places.ts, tenancy.ts.

import type { ProbeAttach } from '../compiled.ts';
import type { FunctionPrototype, Kernel, Tracepoint } from '../kernel.ts';
import { integerValue } from '../parse/numbers.ts';
import type { Layout } from '../types.ts';
import type { ProbeContext } from './checked.ts';
import { isGlob, missing, nothing, type Place, type PlaceAnswer, type PlaceRequest, wrong } from './place.ts';
import { functionArguments, rawTracepointArguments, tracepointArguments } from './tenancy.ts';
import { uint64, withSpace } from './unify.ts';

/** Argument registers of a function of the kernel or of a program. */
export function argumentRegisters(kernel: Kernel | null): number {
  return kernel?.arch === 'x86' ? 6 : 8;
}

export function kernelPlaces(request: PlaceRequest): PlaceAnswer {
  switch (request.point.provider) {
    case 'tracepoint':
      return tracepointPlaces(request);
    case 'rawtracepoint':
      return rawTracepointPlaces(request);
    case 'iter':
      return iteratorPlaces(request);
    default:
      return functionPlaces(request);
  }
}

function tracepointPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const [category = '', name = ''] = point.parts;
  if (point.parts.length !== 2 || category === '' || name === '')
    return wrong(
      'tracepoint is written tracepoint:CATEGORY:NAME',
      'for example tracepoint:sched:sched_switch',
    );
  if (kernel === null) {
    const attach: ProbeAttach = { kind: 'tracepoint', category, name };
    return {
      places: [at(request, attach, [category, name], nothing, tracepointArguments(category, name))],
    };
  }
  const found = kernel.tracepoints(category, name);
  if (found.length === 0) {
    const near = request.suggest(name, () => kernel.tracepoints(category, '*').map((each) => each.name));
    return missing(
      `this kernel has no tracepoint ${category}:${name}`,
      near === undefined ? undefined : `did you mean '${category}:${near}'?`,
    );
  }
  return { places: found.map((each) => tracepointPlace(request, each)) };
}

function tracepointPlace(request: PlaceRequest, { category, name, layout }: Tracepoint): Place {
  const space = category === 'syscalls' ? 'user' : 'kernel';
  const args: Layout = {
    ...layout,
    name: `args of tracepoint:${category}:${name}`,
    members: layout.members.map((member) => ({ ...member, type: withSpace(member.type, space) })),
  };
  const context: ProbeContext = { ...nothing, args: { layout: args, from: 'record' } };
  const reason = tracepointArguments(category, name);
  return at(request, { kind: 'tracepoint', category, name }, [category, name], context, reason);
}

function rawTracepointPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const name = point.parts.at(-1) ?? '';
  if (point.parts.length === 0 || point.parts.length > 2 || name === '')
    return wrong('rawtracepoint is written rawtracepoint:NAME or rawtracepoint:MODULE:NAME');
  const place = (event: string, context: ProbeContext) =>
    at(
      request,
      { kind: 'rawTracepoint', name: event },
      [...point.parts.slice(0, -1), event],
      context,
      rawTracepointArguments(event),
    );
  if (kernel === null) return { places: [place(name, nothing)] };
  const names = isGlob(name) ? kernel.rawTracepoints(name) : [name];
  const places: Place[] = [];
  for (const event of names) {
    const prototype = kernel.rawTracepoint(event);
    if (prototype !== undefined) places.push(place(event, slots(prototype)));
  }
  if (places.length > 0) return { places };
  const near = request.suggest(name, () => kernel.rawTracepoints('*'));
  return missing(
    `this kernel has no raw tracepoint ${name}`,
    near === undefined ? undefined : `did you mean '${near}'?`,
  );
}

/** What BTF says of a function: its parameters in slots of the context. */
function slots({ name, parameters }: FunctionPrototype): ProbeContext {
  const types = parameters.map(({ type }) => withSpace(type, 'kernel'));
  const members = parameters.map((parameter, index) => ({
    name: parameter.name,
    type: types[index] ?? uint64,
    offsetBits: 64 * index,
  }));
  return {
    ...nothing,
    args: { layout: { name: `args of ${name}`, size: 8 * members.length, members }, from: 'slots' },
    argN: { from: 'slots', types },
  };
}

function iteratorPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const [name = '', pin = null, ...more] = point.parts;
  if (name === '' || more.length > 0) return wrong('iter is written iter:NAME or iter:NAME:PIN');
  if (isGlob(name)) return wrong('iterators can not be mixed, so they have no wildcards');
  const layout = kernel?.iterator(name);
  if (kernel !== null && layout === undefined) {
    const near = request.suggest(name, () => kernel.iterators('*'));
    return missing(
      `this kernel has no iterator ${name}`,
      near === undefined ? undefined : `did you mean '${near}'?`,
    );
  }
  const members = layout?.members.map((member) => ({ ...member, type: withSpace(member.type, 'kernel') }));
  const context: ProbeContext =
    layout === undefined || members === undefined
      ? nothing
      : {
          ...nothing,
          args: { layout: { ...layout, name: `context of iter:${name}`, members }, from: 'record' },
        };
  return { places: [at(request, { kind: 'iter', name, pin }, point.parts, context, null)] };
}

function functionPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const { provider, parts } = point;
  const last = parts.at(-1) ?? '';
  const module = parts.length > 1 ? (parts[0] ?? '') : null;
  if (module === 'bpf') return wrong('tracing of other programs is not supported');
  if (last === '' || parts.length > 2)
    return wrong(`${provider} is written ${provider}:FUNCTION or ${provider}:MODULE:FUNCTION`);
  const split = splitOffset(last);
  if ('wrong' in split) return wrong(split.wrong);
  const { name, offset } = split;
  if (offset > 0 && provider !== 'kprobe')
    return wrong(
      `${provider} is at a function's ${provider === 'fentry' ? 'entry' : 'return'}, so it has no offset`,
    );
  const glob = module === null || module === 'vmlinux' ? name : `${module}:${name}`;
  if (kernel === null) return { places: [functionPlace(request, glob, name, offset, undefined)] };
  const names = kernel.kernelFunctions(glob);
  if (names.length === 0) {
    // All names of a kernel are too many to compare; those that begin like it are enough.
    const near = request.suggest(name, () =>
      isGlob(name) ? [] : kernel.kernelFunctions(`${name.slice(0, 3)}*`),
    );
    return missing(
      `this kernel has no function ${glob} that can be traced`,
      near === undefined ? 'it may be inlined' : `did you mean '${near}'?`,
    );
  }
  const byType = provider === 'fentry' || provider === 'fexit';
  const places: Place[] = [];
  for (const each of names) {
    const prototype = byType ? kernel.kernelFunction(each) : undefined;
    if (byType && prototype === undefined) continue;
    places.push(functionPlace(request, each, each.split(':').at(-1) ?? each, offset, prototype));
  }
  return places.length > 0 ? { places } : missing(`BTF does not tell the arguments of ${glob}`, 'use kprobe');
}

function functionPlace(
  request: PlaceRequest,
  name: string,
  short: string,
  offset: number,
  prototype: FunctionPrototype | undefined,
): Place {
  const { provider, parts } = request.point;
  const returns = provider === 'kretprobe' || provider === 'fexit';
  const byType = provider === 'fentry' || provider === 'fexit';
  const attach: ProbeAttach = byType
    ? { kind: 'fentry', function: name, return: returns }
    : { kind: 'kprobe', function: name, offset, return: returns };
  const count = argumentRegisters(request.kernel);
  const base: ProbeContext =
    prototype !== undefined
      ? slots(prototype)
      : byType
        ? nothing
        : { ...nothing, registers: true, argN: returns ? null : { from: 'registers', count } };
  const retval =
    prototype !== undefined && returns ? withSpace(prototype.returns, 'kernel') : returns ? uint64 : null;
  const named = [...parts.slice(0, -1), offset > 0 ? `${short}+${offset}` : short];
  const place = at(request, attach, named, { ...base, retval }, functionArguments(short));
  return { ...place, functions: [short] };
}

/** `name+8` */
export function splitOffset(text: string): { name: string; offset: number } | { wrong: string } {
  const plus = text.lastIndexOf('+');
  if (plus < 0) return { name: text, offset: 0 };
  const read = integerValue(text.slice(plus + 1));
  if ('wrong' in read) return { wrong: `the offset: ${read.wrong}` };
  if (read.value > 0xffff_ffffn) return { wrong: `an offset of ${read.value} is in no function` };
  return { name: text.slice(0, plus), offset: Number(read.value) };
}

function at(
  { point, kernel }: PlaceRequest,
  attach: ProbeAttach,
  parts: readonly string[],
  context: ProbeContext,
  argumentsOf: string | null,
): Place {
  const name = [point.provider, ...parts].join(':');
  return { point, attach, name, functions: [], context, open: kernel === null, path: null, argumentsOf };
}
