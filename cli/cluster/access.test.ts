// Kubeconfigs as kubectl reads them, and TLS to the API server.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { makeAuthority } from '../../test/support/certificates.ts';
import { startFakeCluster } from '../../test/support/fake-cluster.ts';
import { openAccess } from './access.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-kubeconfig-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, contexts: string[], current?: string): string {
  const path = join(folder, name);
  const config = {
    clusters: contexts.map((each) => ({ name: each, cluster: { server: `https://${each}.${name}:6443` } })),
    users: contexts.map((each) => ({ name: each, user: { token: each } })),
    contexts: contexts.map((each) => ({
      name: each,
      context: { cluster: each, user: each, namespace: `ns-${each}` },
    })),
    ...(current === undefined ? {} : { 'current-context': current }),
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test('of several files the first that says something wins; missing ones are passed over', async () => {
  const [one, two] = [file('one', ['a', 'b']), file('two', ['b', 'c'], 'c')];
  process.env.KUBECONFIG = [join(folder, 'missing'), one, two].join(delimiter);
  const current = await openAccess({});
  assert.deepEqual([current.api.server, current.namespace], ['https://c.two:6443', 'ns-c']);
  const other = await openAccess({ context: 'b', namespace: 'mine' });
  assert.deepEqual([other.api.server, other.namespace], ['https://b.one:6443', 'mine']);
  const given = await openAccess({ kubeconfig: one, context: 'a' });
  assert.equal(given.api.server, 'https://a.one:6443');
});

test('a kubeconfig that lacks what is asked for is explained', async () => {
  const one = file('lacking', ['a']);
  await assert.rejects(openAccess({ kubeconfig: one }), /has no current context/);
  await assert.rejects(openAccess({ kubeconfig: one, context: 'x' }), {
    message: /no context x/,
    advice: /It has a;/,
  });
  await assert.rejects(
    openAccess({ kubeconfig: join(folder, 'absent') }),
    /can't read the kubeconfig .*absent/,
  );
  writeFileSync(join(folder, 'broken'), '{');
  await assert.rejects(openAccess({ kubeconfig: join(folder, 'broken') }), { code: 'KubeconfigInvalid' });
  process.env.KUBECONFIG = join(folder, 'absent');
  await assert.rejects(openAccess({}), /\$KUBECONFIG names .*absent, which is not there/);
});

test('TLS is checked against the kubeconfig’s authority', async () => {
  const authority = await makeAuthority();
  const own = await authority.sign([{ type: 'ip', value: '127.0.0.1' }]);
  const cluster = await startFakeCluster({ cert: own.certificate, key: own.key, ca: own.ca });
  try {
    const { api } = await openAccess({ kubeconfig: cluster.kubeconfig });
    assert.deepEqual(await api.json({ tried: 'ask', path: '/version' }), { gitVersion: 'v1.36.1' });
    const stranger = await makeAuthority();
    const text = JSON.stringify({
      ...{
        clusters: [
          {
            name: 'c',
            cluster: { server: cluster.url, 'certificate-authority-data': btoa(stranger.certificate) },
          },
        ],
      },
      users: [{ name: 'u', user: { token: 'x' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    });
    writeFileSync(join(folder, 'stranger'), text);
    const wrong = await openAccess({ kubeconfig: join(folder, 'stranger') });
    await assert.rejects(wrong.api.json({ tried: 'ask', path: '/version' }), {
      code: 'ClusterUnreachable',
      advice: /certificate is not of the kubeconfig’s authority/,
    });
  } finally {
    await cluster.close();
  }
});
