// The cluster that scenario tests run on: the one of `npm run cluster:up`, started if there is none, or another one by SONDE_TEST_KUBECONFIG. kubectl, helm, namespaces
// and buckets of a test's own. Neighbours: workloads.ts (pods to trace), faults.ts (what can go wrong with a cluster, on purpose).

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { goTool } from '../../../build/tools.ts';
import { images } from '../images.ts';
import { kubernetesProgram } from '../kubernetes.ts';
import { clusterFolder, kubeconfig, s3 } from '../layout.ts';
import { type Outcome, run } from './run.ts';
import { until } from './until.ts';

export interface S3 {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface CommandOptions {
  stdin?: string;
  env?: Record<string, string>;
  /** ms; 60 s if it is not said. */
  limit?: number;
}

export interface KubectlOptions extends CommandOptions {
  /** Asks with this bearer token, as somebody else than the administrator. */
  token?: string;
}

let opened: Promise<TestCluster> | undefined;

/** The cluster; the same one whenever it is asked for. */
export function cluster(): Promise<TestCluster> {
  opened ??= open();
  return opened;
}

async function open(): Promise<TestCluster> {
  const env = process.env;
  const other = env.SONDE_TEST_KUBECONFIG;
  if (other === undefined && !existsSync(kubeconfig)) {
    const script = join(import.meta.dirname, '../up.ts');
    const outcome = await run([process.execPath, script], { limit: 30 * 60_000 });
    if (outcome.code !== 0) throw new Error(`npm run cluster:up failed:\n${outcome.stderr}`);
  }
  const found = new TestCluster(other ?? kubeconfig, await kubernetesProgram(), await goTool('helm'), {
    own: other === undefined,
    prefix: env.SONDE_TEST_IMAGES ?? dirname(images.agent),
    s3: {
      endpoint: env.SONDE_TEST_S3_ENDPOINT ?? s3.endpoint,
      region: env.SONDE_TEST_S3_REGION ?? s3.region,
      accessKeyId: env.SONDE_TEST_S3_ACCESS_KEY_ID ?? s3.accessKeyId,
      secretAccessKey: env.SONDE_TEST_S3_SECRET_ACCESS_KEY ?? s3.secretAccessKey,
    },
  });
  await found.readNodes();
  return found;
}

export class TestCluster {
  readonly kubeconfig: string;
  /** This project's own, with programs that tests may end and nodes that may vanish (faults.ts). */
  readonly own: boolean;
  /** Reached by pods and by tests at the same address. */
  readonly s3: S3;
  /** imagePullPolicy IfNotPresent everywhere: nodes of our own hold them, and no registry does. */
  readonly images: { operator: string; agent: string; workload: string };
  /** Names of the nodes that pods can run on. */
  nodes: string[] = [];
  readonly #kubernetes: string;
  readonly #helm: string;

  constructor(
    path: string,
    kubernetes: string,
    helm: string,
    options: { own: boolean; prefix: string; s3: S3 },
  ) {
    this.kubeconfig = path;
    this.#kubernetes = kubernetes;
    this.#helm = helm;
    this.own = options.own;
    this.s3 = options.s3;
    const { prefix } = options;
    this.images = {
      operator: `${prefix}/operator:dev`,
      agent: `${prefix}/agent:dev`,
      workload: `${prefix}/workload:dev`,
    };
  }

  async readNodes(): Promise<void> {
    const { items } = JSON.parse(await this.kubectl(['get', 'nodes', '-o', 'json']));
    this.nodes = items
      .filter(({ spec }: { spec: { unschedulable?: boolean } }) => spec.unschedulable !== true)
      .map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  }

  /** kubectl's stdout; throws with its stderr. */
  async kubectl(args: string[], options: KubectlOptions = {}): Promise<string> {
    const outcome = await this.tryKubectl(args, options);
    if (outcome.code === 0) return outcome.stdout;
    throw new Error(
      `kubectl ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}${outcome.stdout}`,
    );
  }

  /** The same, for commands that are to fail. */
  async tryKubectl(args: string[], options: KubectlOptions = {}): Promise<Outcome> {
    if (options.token === undefined) return run([...this.kubectlCommand, ...args], options);
    // A certificate in a kubeconfig would win over a token.
    const view = ['config', 'view', '--minify', '--raw', '-o', 'json'];
    const config = JSON.parse((await run([...this.kubectlCommand, ...view])).stdout);
    config.users = [{ name: config.users[0].name, user: { token: options.token } }];
    const folder = await mkdtemp(join(tmpdir(), 'sonde-kubeconfig-'));
    try {
      const path = join(folder, 'config');
      await writeFile(path, JSON.stringify(config), { mode: 0o600 });
      return await run([...this.kubectlCommand, '--kubeconfig', path, ...args], options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** For a command that a test runs by itself, beside others. */
  get kubectlCommand(): [string, ...string[]] {
    const cache = join(clusterFolder, 'kubectl-cache');
    return [this.#kubernetes, 'kubectl', '--kubeconfig', this.kubeconfig, '--cache-dir', cache];
  }

  /** helm's stdout; throws with its stderr. Its caches lie in the cluster's folder, not in the user's. */
  async helm(args: string[], options: CommandOptions = {}): Promise<string> {
    const home = join(clusterFolder, 'helm');
    const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, ...options.env };
    const argv: [string, ...string[]] = [this.#helm, '--kubeconfig', this.kubeconfig, ...args];
    const outcome = await run(argv, { limit: 300_000, ...options, env });
    if (outcome.code === 0) return outcome.stdout;
    throw new Error(`helm ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}`);
  }

  /** Applies YAML or objects, in a namespace where they name none. */
  async apply(what: string | object | object[], namespace?: string): Promise<void> {
    const items = Array.isArray(what) ? what : [what];
    // JSON: no two readers of YAML agree on what `yes` is.
    const text = typeof what === 'string' ? what : JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const where = namespace === undefined ? [] : ['--namespace', namespace];
    await this.kubectl(['apply', ...where, '--filename', '-'], { stdin: text });
  }

  /** An object as the API server has it; undefined where it has none. */
  async get<T>(kind: string, name: string, namespace?: string): Promise<T | undefined> {
    const where = namespace === undefined ? [] : ['--namespace', namespace];
    const text = await this.kubectl(['get', kind, name, ...where, '--ignore-not-found', '-o', 'json']);
    return text.trim() === '' ? undefined : JSON.parse(text);
  }

  /** Asks until there is an answer; its last error, or nothing, is in what is thrown after `limit` ms. */
  async waitFor<T>(what: string, ask: () => Promise<T | undefined>, limit = 60_000): Promise<T> {
    let last: unknown = 'there was no answer';
    const answer = await until(limit, () =>
      ask().catch((error: unknown) => {
        last = error;
        return undefined;
      }),
    );
    if (answer !== undefined) return answer;
    throw new Error(`${what}: not within ${limit / 1000} s`, { cause: last });
  }

  /** A namespace of this test's own; deleted after it, with everything in it. */
  async namespace(t: TestContext, labels: Record<string, string> = {}): Promise<string> {
    const name = `test-${randomBytes(4).toString('hex')}`;
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    t.after(async () => {
      await this.kubectl(['delete', 'namespace', name, '--timeout=90s'], { limit: 100_000 });
    });
    return name;
  }

  /** A bucket of this test's own; deleted after it, with everything in it. */
  async bucket(t: TestContext): Promise<{ name: string; client: S3Client }> {
    const { endpoint, region, ...credentials } = this.s3;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const name = `test-${randomBytes(6).toString('hex')}`;
    await client.send(new CreateBucketCommand({ Bucket: name }));
    t.after(async () => {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: name })) {
        const Objects = Contents.map(({ Key }) => ({ Key }));
        if (Objects.length > 0) {
          await client.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects } }));
        }
      }
      await client.send(new DeleteBucketCommand({ Bucket: name }));
      client.destroy();
    });
    return { name, client };
  }
}
