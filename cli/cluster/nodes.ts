// What each node can trace, as the operator has written it into ConfigMap sonde-nodes: whoever may read that may know. Neighbours: operator/roster.ts
// (writes it), cli/cluster/doctor.ts (shows it).

import type { Finding } from '../doctor.ts';
import type { Api } from './api.ts';
import { fields, items, line } from './job.ts';
import { ApiRefused } from './refused.ts';
import { plural } from './words.ts';

export interface NodeAbilities {
  node: string;
  version: string;
  kernel: string;
  arch: string;
  gadgets: { gadget: string; hooks: string[]; reason?: string }[];
}

const configMap = 'sonde-nodes';

/** By node. A word instead where it can't be had. */
export async function readNodes(
  api: Api,
  namespace: string,
): Promise<NodeAbilities[] | 'Forbidden' | 'Missing'> {
  try {
    const object = await api.json({
      tried: `get ConfigMap ${configMap} in namespace ${namespace}`,
      path: `/api/v1/namespaces/${namespace}/configmaps/${configMap}`,
    });
    const text = fields(fields(object).data)['nodes.json'];
    return typeof text === 'string' ? nodesIn(text) : 'Missing';
  } catch (error) {
    if (error instanceof ApiRefused && error.status === 404) return 'Missing';
    if (error instanceof ApiRefused && error.status === 403) return 'Forbidden';
    throw error;
  }
}

/** Everything in it is bounded and safe in a terminal. */
export function nodesIn(text: string): NodeAbilities[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  return items(parsed, 10_000).map((node) => ({
    node: line(node.node, 253),
    version: line(node.version, 40),
    kernel: line(node.kernel, 100),
    arch: line(node.arch, 20),
    gadgets: items(node.gadgets, 500).map((ability) => {
      const reason = line(ability.reason, 300);
      const hooks = Array.isArray(ability.hooks) ? ability.hooks.slice(0, 50) : [];
      return {
        gadget: line(ability.gadget, 63),
        hooks: hooks.map((hook) => line(hook, 200)),
        ...(reason === '' ? {} : { reason }),
      };
    }),
  }));
}

/** Nodes that are alike are one line. */
export function nodeFindings(nodes: NodeAbilities[] | 'Forbidden' | 'Missing', namespace: string): Finding[] {
  if (nodes === 'Forbidden') {
    const advice = `Ask for the right to get ConfigMap ${configMap} in namespace ${namespace}: the chart's Role sonde-users holds it.`;
    return [{ about: 'nodes', state: 'warn', message: 'you may not read what each node can trace', advice }];
  }
  if (nodes === 'Missing' || nodes.length === 0) {
    const message = `no agent has said what its node can trace: namespace ${namespace} has ${nodes === 'Missing' ? 'no' : 'an empty'} ConfigMap ${configMap}`;
    const advice = `Look at the operator and the agents: kubectl -n ${namespace} get pods; --sonde-namespace says where Sonde is.`;
    return [{ about: 'nodes', state: 'warn', message, advice }];
  }
  const alike = new Map<string, NodeAbilities[]>();
  for (const node of nodes) {
    const { node: _, ...rest } = node;
    const key = JSON.stringify(rest);
    alike.set(key, [...(alike.get(key) ?? []), node]);
  }
  return [...alike.values()].map(findingOf);
}

function findingOf(group: NodeAbilities[]): Finding {
  const [first] = group;
  const { version = '', kernel = '', arch = '', gadgets = [] } = first ?? {};
  const lacking = gadgets.filter(({ reason }) => reason !== undefined);
  const names = group.slice(0, 3).map(({ node }) => node);
  const about = `${names.join(', ')}${group.length > 3 ? ` and ${group.length - 3} more` : ''}`;
  const able =
    lacking.length === 0
      ? `all ${gadgets.length}`
      : `${gadgets.length - lacking.length} of ${gadgets.length}`;
  const message = `${able} gadgets; kernel ${kernel} ${arch}, agent ${version}`;
  if (lacking.length === 0) return { about, state: 'ok', message };
  const reasons = lacking.map(({ gadget, reason }) => `${gadget}: ${reason}`).join('; ');
  return {
    about,
    state: 'warn',
    message: `${message}; ${plural(lacking.length, 'gadget')} can't run`,
    advice: reasons,
  };
}
