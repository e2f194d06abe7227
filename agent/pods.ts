// What a session knows of its pods, and whose a row is by it: pods by number, their containers as their cgroups come into scope, names as the operator
// learns them. Pure. Neighbours: agent/pod-scope.ts (finds the cgroups), agent/owners.ts, agent/finish-events.ts (rows whose names came late).

import type { Owner } from '../results/shape.ts';
import type { PodTarget } from './api.ts';
import { containerOf } from './group-names.ts';
import { jsonMembers, nobodyOn, type Owners } from './owners.ts';

/** SCOPE_OF_GROUP of bpf/include/scope_pods.bpf.h. */
const scopeOfGroup = 1n << 62n;

/** The scope id of a pod's container by its own group's cgroup2 id. */
export function scopeIdOf(group: bigint): bigint {
  return group | scopeOfGroup;
}

/** More than a node can start in a day; what comes beyond it is shown without a container. */
const mostContainers = 65_536;

interface Container {
  group: bigint;
  pod: Pod;
  /** The container's id; the group's name where it has none. */
  id: string;
}

interface Pod {
  target: PodTarget;
  /** cgroup2 id of the first group that was made in it. Ids of the hierarchy grow: it is the sandbox's, which comes before all others. */
  first?: bigint;
  containers: number;
}

export interface Pods extends Owners {
  /** Takes pods as they are now; ones that are not named any more stay known. Gives the numbers of those that are new. */
  name(targets: readonly PodTarget[]): { number: bigint; target: PodTarget }[];
  /** A container's group came into scope, or was found there; saying it twice changes nothing. Gives its scope id. */
  found(pod: bigint, group: bigint, groupName: string): bigint;
  /** The pod's number by what its group is called. */
  numberOf(podId: string): bigint | undefined;
  /** The pod with this number, as an owner without a container. */
  ownerOf(pod: bigint): Owner;
  /** Containers' groups that nobody wants, as far as is known by now. */
  unwanted(): bigint[];
  /** Containers that a name may still come for. */
  unnamed(): number;
  /** Scope ids whose rows can't be written for good yet, as they are written until then. */
  provisional(): Map<bigint, string>;
  /** Pods that had a group in scope at some time. */
  traced(): number;
}

export function knownPods(node: string): Pods {
  const pods: Pod[] = [];
  const numbers = new Map<string, bigint>();
  const containers = new Map<bigint, Container>();
  const nobody = nobodyOn(node);

  const nameOf = ({ pod, id }: Container): string | undefined =>
    pod.target.containers.find((each) => each.id === id)?.name;

  const wanted = ({ target }: Pod, name: string): boolean => target.only?.includes(name) ?? true;

  const owner = ({ pod, id }: Container, name = id): Owner => {
    const { namespace, name: podName } = pod.target;
    return { node, namespace, pod: podName, container: name };
  };

  const final = (container: Container): Owner | null => {
    const name = nameOf(container);
    if (name !== undefined) return wanted(container.pod, name) ? owner(container, name) : null;
    return container.pod.target.only === undefined && container.pod.first !== container.group
      ? owner(container)
      : null;
  };

  const isProvisional = (container: Container): boolean => {
    const name = nameOf(container);
    return name === undefined || !wanted(container.pod, name);
  };

  return {
    name(targets) {
      const fresh: { number: bigint; target: PodTarget }[] = [];
      for (const given of targets) {
        const target = { ...given, containers: given.containers.map(plainId) };
        const number = numbers.get(target.uid);
        const known = number === undefined ? undefined : pods[Number(number) - 1];
        if (known !== undefined) {
          known.target = { ...target, containers: union(known.target.containers, target.containers) };
          continue;
        }
        pods.push({ target, containers: 0 });
        const next = BigInt(pods.length);
        numbers.set(target.uid, next);
        if (target.configHash !== undefined) numbers.set(target.configHash, next);
        fresh.push({ number: next, target });
      }
      return fresh;
    },
    found(number, group, groupName) {
      const pod = pods[Number(number) - 1];
      const id = scopeIdOf(group);
      if (pod === undefined || containers.has(id) || containers.size >= mostContainers) return id;
      containers.set(id, { group, pod, id: containerOf(groupName)?.id ?? groupName });
      pod.containers++;
      if (pod.first === undefined || group < pod.first) pod.first = group;
      return id;
    },
    numberOf: (podId) => numbers.get(podId),
    ownerOf(number) {
      const target = pods[Number(number) - 1]?.target;
      if (target === undefined) return nobody;
      return { node, namespace: target.namespace, pod: target.name, container: null };
    },
    unwanted() {
      return [...containers.values()]
        .filter((container) => {
          const name = nameOf(container);
          return name !== undefined && !wanted(container.pod, name);
        })
        .map(({ group }) => group);
    },
    unnamed() {
      return [...containers.values()].filter(
        (container) => nameOf(container) === undefined && container.pod.first !== container.group,
      ).length;
    },
    provisional() {
      const found = new Map<bigint, string>();
      for (const [id, container] of containers)
        if (isProvisional(container)) found.set(id, jsonMembers(owner(container)));
      return found;
    },
    traced: () => pods.filter((pod) => pod.containers > 0).length,
    of(scopeId) {
      const container = containers.get(scopeId);
      return container === undefined ? nobody : final(container);
    },
    all() {
      const owners = new Map<string, Owner>();
      for (const container of containers.values()) {
        const whose = final(container);
        if (whose !== null) owners.set(jsonMembers(whose), whose);
      }
      return [...owners.values()];
    },
    members() {
      const found = new Map<bigint, string>();
      for (const [id, container] of containers) {
        const whose = isProvisional(container) ? owner(container) : final(container);
        if (whose !== null) found.set(id, jsonMembers(whose));
      }
      return found;
    },
  };
}

/** What rows that have a container's id for its name are to have instead, by these pods. */
export function namesOf(node: string, targets: readonly PodTarget[]): Map<string, string | null> {
  const renaming = new Map<string, string | null>();
  for (const { namespace, name: pod, containers, only } of targets)
    for (const { name, id } of containers.map(plainId)) {
      const now = jsonMembers({ node, namespace, pod, container: name });
      renaming.set(
        jsonMembers({ node, namespace, pod, container: id }),
        only?.includes(name) === false ? null : now,
      );
    }
  return renaming;
}

/** An API object has the runtime before the id: containerd://… */
function plainId({ name, id }: { name: string; id: string }): { name: string; id: string } {
  return { name, id: id.slice(id.lastIndexOf('/') + 1) };
}

/** A container that was named once keeps its name when the pod's status forgets it. */
function union(before: PodTarget['containers'], now: PodTarget['containers']): PodTarget['containers'] {
  const ids = new Set(now.map(({ id }) => id));
  return [...before.filter(({ id }) => !ids.has(id)), ...now];
}
