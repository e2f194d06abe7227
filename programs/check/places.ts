// An attach point as written → the places it means on this machine, or why there are none. Neighbours: place-kernel.ts, place-user.ts, place-timed.ts.

import type { Kernel } from '../kernel.ts';
import { missing, type Place, type PlaceAnswer, type PlaceRequest } from './place.ts';
import { kernelPlaces } from './place-kernel.ts';
import { timedPlaces } from './place-timed.ts';
import { userPlaces } from './place-user.ts';
import { refusedPlace } from './tenancy.ts';
import type { Provider } from './words.ts';

export function placesOf(request: PlaceRequest): PlaceAnswer {
  const refused = request.tenancy === 'pods' ? refusedPlace(request.point) : null;
  if (refused !== null) return { wrong: refused };
  const none = request.kernel?.supports(kindOf(request.point.provider)) ?? null;
  if (none !== null) return missing(`this kernel can't attach ${request.point.text}: ${none}`);
  const answer = byProvider(request);
  if ('wrong' in answer) return answer;
  const [first] = answer.places;
  const reason = request.kernel === null || first === undefined ? null : unsupported(request.kernel, first);
  if (reason !== null) return missing(`this kernel can't attach ${first?.name}: ${reason}`);
  return answer;
}

function byProvider(request: PlaceRequest): PlaceAnswer {
  switch (request.point.provider) {
    case 'tracepoint':
    case 'rawtracepoint':
    case 'iter':
    case 'fentry':
    case 'fexit':
    case 'kprobe':
    case 'kretprobe':
      return kernelPlaces(request);
    case 'uprobe':
    case 'uretprobe':
    case 'usdt':
      return userPlaces(request);
    default:
      return timedPlaces(request);
  }
}

/** The kind of section: whether the kernel has such hooks at all. */
function kindOf(provider: Provider): string {
  switch (provider) {
    case 'rawtracepoint':
      return 'raw_tp';
    case 'kprobe':
    case 'kretprobe':
    case 'fentry':
    case 'fexit':
      return provider;
    default:
      return '';
  }
}

function unsupported(kernel: Kernel, { attach }: Place): string | null {
  switch (attach.kind) {
    case 'tracepoint':
      return kernel.supports(`tracepoint/${attach.category}/${attach.name}`);
    case 'rawTracepoint':
      return kernel.supports(`raw_tp/${attach.name}`);
    case 'iter':
      return kernel.supports(`iter/${attach.name}`);
    case 'kprobe':
      return kernel.supports(`${attach.return ? 'kretprobe' : 'kprobe'}/${attach.function}`);
    case 'fentry':
      return kernel.supports(`${attach.return ? 'fexit' : 'fentry'}/${attach.function}`);
    case 'uprobe':
      return kernel.supports(attach.return ? 'uretprobe' : 'uprobe');
    case 'usdt':
      return kernel.supports('usdt');
    case 'begin':
    case 'end':
    case 'self':
      return null;
    default:
      return kernel.supports('perf_event');
  }
}
