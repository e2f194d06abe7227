// Kubernetes' container runtimes by their CRI socket: which container is whose. Loaded only for `--container`, and gRPC only where a socket exists.
// Neighbour: cli/targets.ts. The little of the CRI that is needed is spelled out here as protobuf JSON.

import { statSync } from 'node:fs';
import type { fromJSON } from '@grpc/proto-loader';

/** Where runtimes put their sockets. */
const usual = [
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/cri-dockerd.sock',
  '/run/k3s/containerd/containerd.sock',
];

/** A container's names, most telling first, and its pod. */
export interface CriContainer {
  names: string[];
  namespace?: string;
  pod?: string;
}

/** The sockets that exist; CONTAINER_RUNTIME_ENDPOINT, as crictl reads it, goes before the usual ones. */
export function findSockets(endpoint = process.env.CONTAINER_RUNTIME_ENDPOINT): string[] {
  const own = endpoint === undefined || endpoint === '' ? [] : [endpoint.replace(/^unix:\/\//, '')];
  return [...own, ...usual].filter((path) => {
    try {
      return statSync(path).isSocket();
    } catch {
      return false;
    }
  });
}

const criMessages: Parameters<typeof fromJSON>[0] = {
  nested: {
    runtime: {
      nested: {
        v1: {
          nested: {
            ListContainersRequest: { fields: {} },
            ListContainersResponse: {
              fields: { containers: { rule: 'repeated', type: 'Container', id: 1 } },
            },
            Container: {
              fields: {
                id: { type: 'string', id: 1 },
                metadata: { type: 'ContainerMetadata', id: 3 },
                state: { type: 'int32', id: 6 },
                // A map; on the wire it is this.
                labels: { rule: 'repeated', type: 'Label', id: 8 },
              },
            },
            Label: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
            ContainerMetadata: { fields: { name: { type: 'string', id: 1 } } },
            RuntimeService: {
              methods: {
                ListContainers: {
                  requestType: 'ListContainersRequest',
                  responseType: 'ListContainersResponse',
                  comment: '',
                },
              },
            },
          },
        },
      },
    },
  },
};

interface ListedContainer {
  id?: string;
  metadata?: { name?: string } | null;
  labels?: { key?: string; value?: string }[];
}

/** The service's definition, for the client here and the server in its test. */
export async function criService() {
  const loader = await import('@grpc/proto-loader');
  const definition = loader.fromJSON(criMessages, { keepCase: true })['runtime.v1.RuntimeService'];
  if (definition === undefined || 'format' in definition)
    throw new TypeError('the CRI definition has no service');
  return definition;
}

/** An answer that is no message of the CRI. */
export class CriAnswerError extends Error {
  override name = 'CriAnswerError';
}

/** The containers of an answer, whatever bytes a socket gave. Throws CriAnswerError. */
export function containersOf(
  answer: Buffer,
  deserialize: (bytes: Buffer) => object,
): Map<string, CriContainer> {
  try {
    const { containers = [] } = deserialize(answer) as { containers?: ListedContainer[] };
    return new Map(containers.flatMap(namesOf));
  } catch (cause) {
    throw new CriAnswerError(`the runtime's answer can't be read: ${String(cause)}`, { cause });
  }
}

/** A runtime's containers by id; none where it does not answer within 2 s (names are a help, not a need). */
export async function listCri(socket: string): Promise<Map<string, CriContainer>> {
  const [{ Client, credentials }, service] = await Promise.all([import('@grpc/grpc-js'), criService()]);
  const method = service.ListContainers;
  if (method === undefined) throw new TypeError('the CRI definition has no ListContainers');
  const client = new Client(`unix://${socket}`, credentials.createInsecure());
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Map<string, CriContainer>>();
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      (bytes) => containersOf(bytes, method.responseDeserialize),
      {},
      { deadline: Date.now() + 2000 },
      (error, response) => (error ? reject(error) : resolve(response ?? new Map())),
    );
    return await promise;
  } catch {
    return new Map();
  } finally {
    client.close();
  }
}

function namesOf({ id, metadata, labels = [] }: ListedContainer): [string, CriContainer][] {
  const label = (key: string) => labels.find((entry) => entry.key === key)?.value;
  const name = label('io.kubernetes.container.name') ?? metadata?.name;
  if (id === undefined || id === '' || name === undefined) return [];
  const [namespace, pod] = [label('io.kubernetes.pod.namespace'), label('io.kubernetes.pod.name')];
  if (namespace === undefined || pod === undefined) return [[id, { names: [name] }]];
  const names = [name, `${pod}/${name}`, `${namespace}/${pod}/${name}`, pod];
  return [[id, { names, namespace, pod }]];
}
