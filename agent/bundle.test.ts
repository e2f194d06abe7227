// What goes into dist/agent.js: every node runs it all the time, so it has no schema library, no Kubernetes client, no store. Neighbour: build/bundle.ts.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

test('an agent is gRPC, its log, and our own code that knows neither gadgets nor schemas', async () => {
  const root = join(import.meta.dirname, '..');
  const { metafile } = await build({
    entryPoints: [join(root, 'agent/main.ts')],
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs);
  const packages = new Set(
    inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  );
  for (const name of packages)
    assert.match(
      name,
      /^(@grpc\/|@protobufjs\/|protobufjs$|@js-sdsl\/|long$|lodash\.camelcase$|pino|@pinojs\/|sonic-boom$|thread-stream$|atomic-sleep$|on-exit-leak-free$|quick-format-unescaped$|safe-stable-stringify$)/,
    );
  const own = inputs.filter((path) => !path.includes('node_modules'));
  assert.deepEqual(
    own.filter((path) =>
      /^(operator|charts|programs)\/|^bpf\/gadgets\/|^crds\/(?!quantity|duration)|^cli\/(?!version)/.test(
        path,
      ),
    ),
    [],
  );
});
