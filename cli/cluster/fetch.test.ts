// `kubectl sonde fetch` and `open`: connections that break, stores that can't be reached, files and paths that are not what they should be.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { digest } from '../../test/support/fake-cluster.ts';
import { complete, putJob, result, sonde, withCluster } from '../../test/support/kubectl-sonde.ts';

describe('kubectl-sonde', { concurrency: 3 }, () => {
  test('fetch goes on where a connection broke, in this process and from the last one', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const big = Buffer.alloc(300_000, 'event\n');
      cluster.files.set('events.jsonl', big);
      complete(cluster, 'checkout-cpu');
      const cut = (at: number) => (file: string, from: number) =>
        file === 'events.jsonl' && from < at ? { cutAfter: at - from } : undefined;
      cluster.store.send = cut(100_000);
      const { code, stdout, stderr } = await sonde(cluster, [
        'fetch',
        'checkout-cpu',
        '--output',
        'out',
        '--file',
        'events.jsonl',
        '-o',
        'json',
      ]).ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual(cluster.store.served, ['store events.jsonl 0', 'store events.jsonl 100000']);
      assert.deepEqual(readFileSync(join(cluster.folder, 'out/events.jsonl')), big);
      assert.equal(JSON.parse(stdout).files[0].sha256, digest(big));
      cluster.store.served.length = 0;
      const again = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(again.code, 0, again.stderr);
      assert.equal(again.stdout, 'out\n');
      assert.deepEqual(cluster.store.served.map((each) => each.split(' ')[1]).sort(), [
        'report.html',
        'result.json',
        'summary.txt',
      ]);
    }));

  test('fetch goes through the service proxy where the store has no URL, or one that does not answer', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      cluster.store.url = null;
      const none = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'a']).ended;
      assert.equal(none.code, 0, none.stderr);
      // Port 1 of loopback: nobody listens.
      cluster.store.url = 'http://127.0.0.1:1';
      const dead = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'b']).ended;
      assert.equal(dead.code, 0, dead.stderr);
      assert.equal(dead.stderr.split("the store can't be reached from here").length, 2);
      assert.ok(cluster.store.served.every((each) => each.startsWith('proxy ')));
      assert.deepEqual(readFileSync(join(cluster.folder, 'b/result.json')), result['result.json']);
      assert.ok(
        cluster.requests.includes(
          'GET /api/v1/namespaces/sonde-system/services/https:sonde-artifacts:8443/proxy/v1/result.json',
        ),
      );
    }));

  test('a file with a wrong digest is fetched once more, then refused, and nothing takes its name', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      cluster.store.send = (file) => ({
        bytes: Buffer.alloc(result[file as keyof typeof result].length, 'x'),
      });
      const { code, stderr } = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(code, 1);
      assert.match(stderr, /summary\.txt: its digest is [0-9a-f]{64}, not/);
      assert.equal(cluster.store.served.length, 2);
      assert.deepEqual(readdirSync(join(cluster.folder, 'out')), []);
    }));

  test('names and paths from the cluster that would leave the folder or the Service are refused', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      const sha256 = digest(result['summary.txt']);
      cluster.artifact = () => ({
        phase: 'Ready',
        path: '/v1/../../../secrets',
        namespace: 'sonde-system',
        sha256,
      });
      const path = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.equal(path.code, 1);
      assert.match(path.stderr, /has no path that can be asked for/);
      cluster.setStatus('checkout-cpu', { artifacts: [{ name: '../evil', bytes: 1, sha256 }] });
      const name = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.equal(name.code, 1);
      assert.match(name.stderr, /names a file \.\.\/evil, which can't be one/);
      assert.ok(!existsSync(join(cluster.folder, 'evil')));
      cluster.artifact = () => ({
        phase: 'Failed',
        reason: 'ArtifactMissing',
        message: 'the bucket has it no more',
      });
      complete(cluster, 'checkout-cpu');
      const missing = await sonde(cluster, ['fetch', 'checkout-cpu']).ended;
      assert.match(missing.stderr, /can't be had: ArtifactMissing: the bucket has it no more/);
    }));

  test('another file in the folder is never overwritten', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      cluster.files.set('summary.txt', Buffer.from('other'));
      complete(cluster, 'checkout-cpu', {});
      const bytes = Buffer.from('other');
      cluster.setStatus('checkout-cpu', {
        artifacts: [{ name: 'summary.txt', bytes: bytes.length, sha256: digest(bytes) }],
      });
      const { code, stderr } = await sonde(cluster, ['fetch', 'checkout-cpu', '--output', 'out']).ended;
      assert.equal(code, 2);
      assert.match(stderr, /is there and is another file/);
    }));

  test('open prints where the report lies when nobody has a screen', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu');
      const { code, stdout, stderr } = await sonde(cluster, ['open', 'checkout-cpu', '--output', 'out'])
        .ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, 'out/report.html\n');
      assert.match(stderr, /41% of CPU in json\.Unmarshal/);
    }));
});
