// From a gadget and the parameters a user gave to a plan that an agent can carry out: pure data, all decided.
// Neighbours: bpf/registry.ts (finds the gadget), agent/plan.ts (the plan), crds/trace-job.ts and cli/ (give the parameters).

import { z } from 'zod';
import type { TracePlan } from '../agent/plan.ts';
import type { Arch, Gadget } from './gadget.ts';
import { nearestName } from './nearest.ts';

const thisArch: Arch = process.arch === 'arm64' ? 'arm64' : 'x86';

/** The parameters don't fit the gadget; each issue is one line for who wrote them. */
export class ParametersInvalid extends Error {
  override name = 'ParametersInvalid';
  readonly issues: string[];

  constructor(gadget: string, issues: string[]) {
    super(`${gadget}: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

/**
 * The plan of a gadget with these parameters (an object as parsed from YAML; defaults are filled in here),
 * for nodes of one architecture; this machine's unless said otherwise.
 * @throws ParametersInvalid: an unknown field (with the nearest), a wrong type or value
 */
export function planTrace(gadget: Gadget, parameters: unknown, arch: Arch = thisArch): TracePlan {
  const parsed = gadget.parameters.strict().safeParse(parameters ?? {});
  if (!parsed.success) {
    const known = Object.keys(gadget.parameters.shape);
    throw new ParametersInvalid(
      gadget.name,
      parsed.error.issues.flatMap((issue) => describe(issue, known)),
    );
  }
  const values = parsed.data;
  const { variables = {}, maxEntries = {} } = gadget.knobs(values, arch);
  return {
    trace: gadget.name,
    parameters: values,
    subject: gadget.subject,
    source: gadget.source(values),
    programs: gadget.programs(values),
    hitCost: gadget.hitCost,
    variables,
    maxEntries,
  };
}

function describe(issue: z.core.$ZodIssue, known: string[]): string[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0)
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const fields = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
      return `unknown field ${JSON.stringify(key)}: ${nearest === undefined ? fields : `did you mean ${nearest}?`}`;
    });
  return [`${z.core.toDotPath(issue.path) || 'parameters'}: ${issue.message}`];
}
