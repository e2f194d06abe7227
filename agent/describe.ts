// What a node can trace, and with what: asked once, answered from then on. Neighbours: agent/generated/gadgets.ts (what each gadget attaches),
// agent/attach.ts (chooses), agent/jobs.ts.

import { release } from 'node:os';
import type { Native } from '../native/api.ts';
import { type GadgetAbility, type NodeDescription, protocol } from './api.ts';
import { asAgentError, choosePrograms, hookOf, openGadget } from './attach.ts';
import { gadgets } from './generated/gadgets.ts';
import { arch, objectPath } from './objects.ts';

export function describeNode(native: Native, node: string, version: string): Omit<NodeDescription, 'jobs'> {
  const features = Object.entries(native.features()).filter(
    (entry): entry is [string, boolean] => typeof entry[1] === 'boolean',
  );
  return {
    node,
    version,
    protocol,
    kernel: release(),
    arch: arch === 'arm64' ? 'arm64' : 'x86',
    features: Object.fromEntries(features),
    gadgets: gadgets.map((gadget) => abilityOf(native, gadget)),
  };
}

function abilityOf(native: Native, { trace, programs }: (typeof gadgets)[number]): GadgetAbility {
  try {
    const object = openGadget(native, objectPath(trace), trace);
    try {
      const sections = new Map(object.programs.map(({ name, section }) => [name, section]));
      const uses = choosePrograms({ trace, programs }, sections, native.supports);
      const hooks = uses.map(({ program, attach }) => hookOf(attach, sections.get(program) ?? program));
      return { gadget: trace, hooks };
    } finally {
      object.close();
    }
  } catch (error) {
    return { gadget: trace, hooks: [], reason: asAgentError(error, trace).message };
  }
}
