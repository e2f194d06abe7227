// Places that are no code: begin, end, self, interval, profile, software and hardware events, watchpoints. Neighbours: place.ts, places.ts.

import type { ProbeAttach } from '../compiled.ts';
import { integerValue } from '../parse/numbers.ts';
import type { ProbeContext } from './checked.ts';
import { nothing, type PlaceAnswer, type PlaceRequest, wrong } from './place.ts';
import { anyOf } from './type-text.ts';

/** By name: its other name, and the count after which it fires where none is given. */
const events = {
  software: {
    'cpu-clock': { other: 'cpu', count: 1_000_000n },
    'task-clock': { other: '', count: 1_000_000n },
    'page-faults': { other: 'faults', count: 100n },
    'context-switches': { other: 'cs', count: 1000n },
    'cpu-migrations': { other: '', count: 1n },
    'minor-faults': { other: '', count: 100n },
    'major-faults': { other: '', count: 1n },
    'alignment-faults': { other: '', count: 1n },
    'emulation-faults': { other: '', count: 1n },
    dummy: { other: '', count: 1n },
    'bpf-output': { other: '', count: 1n },
  },
  hardware: {
    'cpu-cycles': { other: 'cycles', count: 1_000_000n },
    instructions: { other: '', count: 1_000_000n },
    'cache-references': { other: '', count: 1_000_000n },
    'cache-misses': { other: '', count: 1_000_000n },
    'branch-instructions': { other: 'branches', count: 100_000n },
    'branch-misses': { other: '', count: 100_000n },
    'bus-cycles': { other: '', count: 100_000n },
    'frontend-stalls': { other: '', count: 1_000_000n },
    'backend-stalls': { other: '', count: 1_000_000n },
    'ref-cycles': { other: '', count: 1_000_000n },
  },
} as const;

const units: Record<string, bigint> = { us: 1000n, ms: 1_000_000n, s: 1_000_000_000n };
const tracer: ProbeContext = { ...nothing, task: false };
const interrupted: ProbeContext = { ...nothing, registers: true };

export function timedPlaces(request: PlaceRequest): PlaceAnswer {
  const { provider, parts } = request.point;
  switch (provider) {
    case 'begin':
    case 'end':
      if (parts.length > 0) return wrong(`${provider} takes nothing after it`);
      return place(request, { kind: provider }, tracer);
    case 'self':
      if (parts[0] !== 'signal' || parts.length !== 2) return wrong('self is written self:signal:SIGUSR1');
      if (parts[1] !== 'SIGUSR1') return wrong('self:signal knows SIGUSR1 only');
      return place(request, { kind: 'self', signal: 'SIGUSR1' }, tracer);
    case 'interval':
    case 'profile':
      return periodic(request, provider);
    case 'software':
    case 'hardware':
      return counted(request, provider);
    default:
      return watched(request);
  }
}

function place(request: PlaceRequest, attach: ProbeAttach, context: ProbeContext): PlaceAnswer {
  const { point } = request;
  const name = [point.provider, ...point.parts].join(':');
  const common = { functions: [], open: false, path: null, argumentsOf: null };
  return { places: [{ point, attach, name, context, ...common }] };
}

function periodic(request: PlaceRequest, provider: 'interval' | 'profile'): PlaceAnswer {
  const { parts } = request.point;
  const [first = '', second] = parts;
  if (parts.length === 0 || parts.length > 2)
    return wrong(`${provider} is written ${provider}:hz:99, ${provider}:s:1 or ${provider}:100ms`);
  const text = second ?? first;
  const read = integerValue(text);
  if ('wrong' in read) return wrong(`how often: ${read.wrong}`);
  if (read.value === 0n) return wrong(`${provider} every 0 would never end`, 'write a number above 0');
  const context = provider === 'interval' ? tracer : interrupted;
  if (second !== undefined && first === 'hz') {
    if (read.value > 100_000n) return wrong(`${read.value} Hz is more than a kernel samples`);
    const attach: ProbeAttach =
      provider === 'interval'
        ? { kind: 'interval', everyNs: 1_000_000_000n / read.value }
        : { kind: 'profile', frequencyHz: Number(read.value) };
    return place(request, attach, context);
  }
  const unit = second === undefined ? 1n : units[first];
  if (unit === undefined) return wrong(`'${first}' is no unit of time`, 'units are us, ms, s and hz');
  const everyNs = read.value * unit;
  if (everyNs > 2n ** 62n) return wrong(`${text} is longer than anybody waits`);
  if (everyNs < 10_000n)
    return wrong(`${provider} every ${everyNs} ns is more than a machine can do`, 'at least 10us');
  const kind = provider === 'interval' ? 'interval' : 'profileEvery';
  return place(request, { kind, everyNs }, context);
}

function counted(request: PlaceRequest, provider: 'software' | 'hardware'): PlaceAnswer {
  const [event = '', count, ...more] = request.point.parts;
  if (event === '' || more.length > 0) return wrong(`${provider} is written ${provider}:EVENT:COUNT`);
  const known = Object.entries(events[provider]);
  const found = known.find(([name, { other }]) => name === event || (other !== '' && other === event));
  if (found === undefined) {
    const near = request.suggest(event, () => known.flatMap(([name, { other }]) => [name, other]));
    return wrong(
      `there is no ${provider} event '${event}'`,
      near === undefined ? `events are ${anyOf(known.map(([name]) => name))}` : `did you mean '${near}'?`,
    );
  }
  const [name, { count: usual }] = found;
  const read = count === undefined || count === '' ? { value: usual } : integerValue(count);
  if ('wrong' in read) return wrong(`after how many: ${read.wrong}`);
  if (read.value === 0n) return wrong('after 0 events is no count');
  return place(request, { kind: provider, event: name, count: read.value }, interrupted);
}

function watched(request: PlaceRequest): PlaceAnswer {
  const [address = '', length = '', mode = ''] = request.point.parts;
  const at = integerValue(address);
  const bytes = integerValue(length);
  if (request.point.provider === 'asyncwatchpoint' || 'wrong' in at)
    return wrong(
      'watchpoints at an argument of a function are not supported',
      'watchpoint:0xADDRESS:LENGTH:MODE',
    );
  if ('wrong' in bytes || ![1n, 2n, 4n, 8n].includes(bytes.value))
    return wrong(`a watchpoint is 1, 2, 4 or 8 bytes long, not '${length}'`);
  if (!/^(?:r|w|x|rw|wr)$/.test(mode)) return wrong(`a watchpoint's mode is r, w, rw or x, not '${mode}'`);
  const attach: ProbeAttach = { kind: 'watchpoint', address: at.value, length: Number(bytes.value), mode };
  return place(request, attach, interrupted);
}
