// Where each gadget attaches on the kernel that this runs on: a session of each on an empty cgroup. For docs/kernels.md, by test/kernels/inside.ts.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSession } from '../../agent/session.ts';
import { planTrace } from '../../bpf/plan.ts';
import { loadGadgets } from '../../bpf/registry.ts';
import { makeGroup } from '../support/trace.ts';

/** The hooks of a gadget's programs, or why it could not be attached. */
export interface GadgetHooks {
  gadget: string;
  hooks: string[];
  failure?: string;
}

/** Every gadget's, by name. */
export async function hooksOfGadgets(): Promise<GadgetHooks[]> {
  const found: GadgetHooks[] = [];
  for (const gadget of await loadGadgets()) {
    const group = makeGroup();
    const spool = await mkdtemp(join(tmpdir(), 'sonde-hooks-'));
    try {
      const session = await startSession({
        job: { name: 'hooks', namespace: null, uid: `hooks-${gadget.name}` },
        node: 'guest',
        plan: planTrace(gadget, {}),
        targets: [
          { kind: 'cgroup', path: group.path, owner: { namespace: null, pod: null, container: 'hooks' } },
        ],
        budget: {},
        redact: 'Secrets',
        spool,
      });
      session.stop('Stopped');
      await session.finished;
      found.push({ gadget: gadget.name, hooks: [...new Set(session.attached.map(({ hook }) => hook))] });
    } catch (error) {
      found.push({
        gadget: gadget.name,
        hooks: [],
        failure: error instanceof Error ? error.message : String(error),
      });
    } finally {
      await rm(spool, { recursive: true, force: true });
      await group.remove();
    }
  }
  return found;
}
