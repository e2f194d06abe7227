// Which cluster, as whom, in which namespace: kubectl's conventions. Neighbours: cli/cluster/flags.ts (the flags), cli/cluster/api.ts.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';
import { type Api, apiOf } from './api.ts';

export interface AccessFlags {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

export interface Access {
  api: Api;
  /** -n, else the context's, else `default`. */
  namespace: string;
}

/** Reads the kubeconfig; nothing is asked of the cluster. Loads the Kubernetes client, which takes a while: only for what needs a cluster. */
export async function openAccess(flags: AccessFlags): Promise<Access> {
  const kubeConfig = await loadKubeConfig(flags);
  return {
    api: apiOf(kubeConfig),
    namespace:
      flags.namespace ??
      (kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace || 'default'),
  };
}

async function loadKubeConfig({ kubeconfig, context }: AccessFlags): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  const files = kubeconfigFiles(kubeconfig);
  if (files.length > 0) {
    const read = files.map((file) => readOne(new Config(), file));
    // As kubectl merges them: what comes first wins.
    const first = <T extends { name: string }>(lists: T[][]): T[] => [
      ...new Map(
        lists
          .flat()
          .toReversed()
          .map((each) => [each.name, each]),
      ).values(),
    ];
    config.loadFromOptions({
      clusters: first(read.map((each) => each.getClusters())),
      users: first(read.map((each) => each.getUsers())),
      contexts: first(read.map((each) => each.getContexts())),
      currentContext: read.map((each) => each.getCurrentContext()).find(Boolean) ?? '',
    });
  } else if (existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token')) config.loadFromCluster();
  else throw new CliError('NoCluster', 'there is no kubeconfig, and this is no pod of a cluster');
  if (context !== undefined) config.setCurrentContext(context);
  check(config);
  return config;
}

/** --kubeconfig must exist; of $KUBECONFIG's files and the default one, those that do. */
function kubeconfigFiles(given: string | undefined): string[] {
  if (given !== undefined) return [given];
  const named = (process.env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  if (named.length === 0) return [join(homedir(), '.kube/config')].filter((file) => existsSync(file));
  const there = named.filter((file) => existsSync(file));
  if (there.length > 0) return there;
  throw new CliError(
    'KubeconfigInvalid',
    `$KUBECONFIG names ${escapeTerminal(named.join(', '), 300)}, which is not there`,
  );
}

function readOne(config: KubeConfig, file: string): KubeConfig {
  try {
    config.loadFromFile(file);
    return config;
  } catch (error) {
    const why = escapeTerminal(
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      300,
    );
    throw new CliError(
      'KubeconfigInvalid',
      `can't read the kubeconfig ${escapeTerminal(file, 300)}: ${why}`,
      {
        cause: error,
      },
    );
  }
}

function check(config: KubeConfig): void {
  const name = config.getCurrentContext();
  const context = config.getContextObject(name);
  if (context === null) {
    const known = config.getContexts().map((each) => each.name);
    const message =
      name === ''
        ? 'the kubeconfig has no current context'
        : `the kubeconfig has no context ${escapeTerminal(name, 100)}`;
    const advice = `It has ${known.length === 0 ? 'none' : escapeTerminal(known.slice(0, 10).join(', '), 400)}; name one with --context.`;
    throw new CliError('KubeconfigInvalid', message, { advice });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    const shown = escapeTerminal(context.cluster, 100);
    throw new CliError(
      'KubeconfigInvalid',
      `the context ${escapeTerminal(name, 100)} names the cluster ${shown}, which has no server in the kubeconfig`,
    );
  }
  // `kubectl proxy` is reached without TLS; the client wants that to be said.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
}
