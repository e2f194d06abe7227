// Places in user programs: functions and USDT probes of a binary. Paths are resolved by the kernel's answerer, inside the containers of the scope.
// Neighbours: place.ts, places.ts.

import type { FunctionPrototype } from '../kernel.ts';
import { integerValue } from '../parse/numbers.ts';
import type { Layout } from '../types.ts';
import type { ProbeContext } from './checked.ts';
import { ofBinary } from './layouts.ts';
import { isGlob, missing, nothing, type Place, type PlaceAnswer, type PlaceRequest, wrong } from './place.ts';
import { argumentRegisters, splitOffset } from './place-kernel.ts';
import { uint64, withSpace } from './unify.ts';

const user: ProbeContext = { ...nothing, space: 'user', registers: true };

export function userPlaces(request: PlaceRequest): PlaceAnswer {
  return request.point.provider === 'usdt' ? usdtPlaces(request) : functionPlaces(request);
}

function functionPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const { provider, parts } = point;
  const [path = '', ...rest] = parts;
  const written = rest.length === 2 && rest[0] === 'cpp' ? (rest[1] ?? '') : (rest[0] ?? '');
  if (path === '' || written === '' || rest.length > 2 || (rest.length === 2 && rest[0] !== 'cpp'))
    return wrong(
      `${provider} is written ${provider}:PATH:FUNCTION`,
      `for example ${provider}:/bin/bash:readline`,
    );
  const address = integerValue(written);
  if ('value' in address) return { places: [place(request, path, [], Number(address.value), undefined)] };
  const split = splitOffset(written);
  // C++ has operator+.
  const { name, offset } = 'wrong' in split ? { name: written, offset: 0 } : split;
  if (offset > 0 && provider === 'uretprobe') return wrong('uretprobe is at a return, so it has no offset');
  if (kernel === null) return { places: [place(request, path, [name], offset, undefined)] };
  const names = kernel.userFunctions(path, name);
  if (names.length === 0) return noSuch(request, path, name);
  if (!request.usesArguments) return { places: [place(request, path, names, offset, undefined)] };
  return {
    places: names.map((each) => place(request, path, [each], offset, kernel.userFunction(path, each))),
  };
}

function noSuch(request: PlaceRequest, path: string, name: string): PlaceAnswer {
  const { kernel } = request;
  const near = request.suggest(name, () =>
    isGlob(name) ? [] : (kernel?.userFunctions(path, `${name.slice(0, 3)}*`) ?? []),
  );
  return missing(
    `${path} has no function ${name}, or is not there`,
    near === undefined ? undefined : `did you mean '${near}'?`,
  );
}

function place(
  request: PlaceRequest,
  path: string,
  functions: string[],
  offset: number,
  prototype: FunctionPrototype | undefined,
): Place {
  const { point, kernel } = request;
  const returns = point.provider === 'uretprobe';
  const count = argumentRegisters(kernel);
  const layout = prototype === undefined ? undefined : registerLayout(prototype, path, count);
  const context: ProbeContext = {
    ...user,
    args: layout === undefined || returns ? null : { layout, from: 'registers' },
    argN: returns ? null : { from: 'registers', count },
    retval: returns ? uint64 : null,
  };
  const [only] = functions;
  const shown = only === undefined ? `0x${offset.toString(16)}` : offset > 0 ? `${only}+${offset}` : only;
  const name =
    functions.length > 1 ? point.text : [point.provider, ...point.parts.slice(0, -1), shown].join(':');
  const attach = { kind: 'uprobe', path, functions, offset, return: returns } as const;
  return { point, attach, name, functions, context, open: kernel === null, path, argumentsOf: null };
}

/** Parameters by DWARF, as far as registers hold them. Structs get the binary in their name: another binary has others of the name. */
function registerLayout({ name, parameters }: FunctionPrototype, path: string, count: number): Layout {
  const members = parameters.slice(0, count).map((parameter, index) => ({
    name: parameter.name,
    type: withSpace(ofBinary(parameter.type, path), 'user'),
    offsetBits: 64 * index,
  }));
  return { name: `args of ${path}:${name}`, size: 8 * members.length, members };
}

function usdtPlaces(request: PlaceRequest): PlaceAnswer {
  const { point, kernel } = request;
  const { parts } = point;
  if (parts.length < 2 || parts.length > 3 || parts.includes(''))
    return wrong('usdt is written usdt:PATH:PROBE or usdt:PATH:PROVIDER:PROBE');
  const [path = ''] = parts;
  const provider = parts.length === 3 ? (parts[1] ?? '') : '*';
  const name = parts.at(-1) ?? '';
  const at = (group: string, probe: string, context: ProbeContext): Place => ({
    point,
    attach: { kind: 'usdt', path, provider: group, name: probe },
    name: ['usdt', path, group, probe].join(':'),
    functions: [],
    context,
    open: kernel === null,
    path,
    argumentsOf: null,
  });
  if (kernel === null) return { places: [at(provider, name, user)] };
  const found = kernel.usdt(path, provider, name);
  if (found.length === 0) {
    const near = request.suggest(name, () => kernel.usdt(path, provider, '*').map((each) => each.name));
    return missing(
      `${path} has no USDT probe ${parts.slice(1).join(':')}, or is not there`,
      near === undefined ? undefined : `did you mean '${near}'?`,
    );
  }
  return {
    places: found.map((each) =>
      at(each.provider, each.name, { ...user, argN: { from: 'usdt', arguments: each.arguments } }),
    ),
  };
}
