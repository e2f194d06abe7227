// `kubectl sonde run` as a user has it, against an API server on loopback that the test plays the operator of.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  complete,
  condition,
  folderOf,
  result,
  sonde,
  withCluster,
} from '../../test/support/kubectl-sonde.ts';

describe('kubectl-sonde', { concurrency: 3 }, () => {
  test('run creates the job, follows it over a broken watch, and fetches the result by signed URL', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, [
        'run',
        'cpu-profile',
        '-l',
        'app=checkout',
        '-d',
        '30s',
        '--frequency-hz',
        '49',
      ]);
      const [, name = ''] = await started.said(
        /tracejob\.sonde\.dev\/(cpu-profile-[a-z0-9]{5}) created in namespace shop/,
      );
      cluster.setStatus(name, {
        phase: 'Pending',
        conditions: [condition('Accepted', true, 'NoPodsYet', 'no pod matches')],
      });
      await started.said(/waiting: no pod matches/);
      cluster.dropWatches();
      cluster.setStatus(name, {
        phase: 'Running',
        startTime: new Date().toISOString(),
        nodes: { matched: 2, running: 2 },
        pods: { matched: 6, traced: 5 },
        conditions: [
          condition('Accepted', true, 'Accepted'),
          condition('Attached', true, 'Attached', 'probes were attached on 2 nodes'),
        ],
      });
      await started.said(/probes were attached on 2 nodes\n[\s\S]*2 of 2 nodes, 5 of 6 pods/);
      complete(cluster, name);
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '\n41% of CPU in json.Unmarshal\n');
      const [job] = [...cluster.objects.values()].filter(({ kind }) => kind === 'TraceJob');
      assert.deepEqual(job?.spec, {
        trace: { cpuProfile: { frequencyHz: 49 } },
        target: { selector: { matchLabels: { app: 'checkout' } } },
        duration: '30s',
      });
      const folder = folderOf(cluster);
      assert.match(folder, new RegExp(`sonde-${name}-[0-9a-f]{8}$`));
      assert.deepEqual(readdirSync(folder).sort(), ['report.html', 'result.json', 'summary.txt']);
      assert.deepEqual(readFileSync(join(folder, 'result.json')), result['result.json']);
      assert.ok(cluster.store.served.every((each) => each.startsWith('store ')));
      // Nobody need read the signed URLs any more.
      assert.ok(![...cluster.objects.values()].some(({ kind }) => kind === 'TraceArtifact'));
      assert.match(stderr, /result: sonde-cpu-profile-.*report\.html/);
    }));

  test('--dry-run=client prints the job and asks nothing of any cluster', () =>
    withCluster(async (cluster) => {
      const args = [
        'run',
        'open-files',
        '--failed-only',
        '-l',
        'tier in (web,api),!canary',
        '-n',
        'shop',
        '--name',
        'opens',
        '--containers',
        'api,web',
      ];
      const more = [
        '--max-pods',
        '5',
        '--nodes',
        'pool=blue',
        '--store',
        'bucket',
        '--budget',
        'cpu=20m,memory=64Mi',
        '--ttl',
        '60',
      ];
      const { code, stdout, stderr } = await sonde(cluster, [
        ...args,
        ...more,
        '--dry-run=client',
        '-o',
        'json',
      ]).ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), {
        apiVersion: 'sonde.dev/v1alpha1',
        kind: 'TraceJob',
        metadata: { name: 'opens', namespace: 'shop' },
        spec: {
          trace: { openFiles: { failedOnly: true } },
          target: {
            selector: {
              matchExpressions: [
                { key: 'tier', operator: 'In', values: ['web', 'api'] },
                { key: 'canary', operator: 'DoesNotExist' },
              ],
            },
            containers: ['api', 'web'],
            nodes: { matchLabels: { pool: 'blue' } },
            maxPods: 5,
          },
          budget: { cpu: '20m', memory: '64Mi' },
          store: { name: 'bucket' },
          ttlSecondsAfterFinished: 60,
        },
      });
      const yaml = await sonde(cluster, ['run', 'profile', '-A', '--dry-run=client', '-o', 'yaml']).ended;
      assert.match(
        yaml.stdout,
        /^apiVersion: sonde\.dev\/v1alpha1\nkind: ClusterTraceJob\nmetadata:\n {2}name: cpu-profile-[a-z0-9]{5}\nspec:\n/,
      );
      assert.deepEqual(cluster.requests, []);
    }));

  test('Ctrl-C ends the job early and keeps the result', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout', '-o', 'json']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.setStatus(name, { phase: 'Running', startTime: new Date().toISOString() });
      await started.said(/Running/);
      cluster.changed = (object) => {
        if (object.spec.suspend === true && object.status?.phase === 'Running') complete(cluster, name);
      };
      started.child.kill('SIGINT');
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /ending early/);
      const job = JSON.parse(stdout);
      assert.equal(job.spec.suspend, true);
      assert.equal(job.status.headline, '41% of CPU in json.Unmarshal');
      assert.ok(existsSync(join(folderOf(cluster), 'report.html')));
    }));

  test('a second Ctrl-C leaves the job to itself and says how to come back', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      started.child.kill('SIGINT');
      await started.said(/ending early/);
      started.child.kill('SIGINT');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`left; \`kubectl sonde watch ${name} -n shop\` goes on`));
      assert.ok(!cluster.requests.some((each) => each.startsWith('DELETE')));
    }));

  test('stopped before it began, a job has no result and run says so', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.changed = (object) => {
        if (object.spec.suspend === true && object.status === undefined)
          cluster.setStatus(name, { phase: 'Suspended' });
      };
      started.child.kill('SIGINT');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, /was stopped before any probe was attached/);
    }));

  test('a job that fails ends with its reason, and as JSON for scripts', () =>
    withCluster(async (cluster) => {
      const started = sonde(cluster, ['run', 'cpu-profile', '-l', 'app=checkout', '--json']);
      const [, name = ''] = await started.said(/(cpu-profile-[a-z0-9]{5}) created/);
      cluster.setStatus(name, {
        phase: 'Failed',
        conditions: [condition('Failed', true, 'NoPods', 'no pod \x1b[2Jmatched')],
      });
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /failed: NoPods: no pod \\x1b\[2Jmatched/);
      const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
      assert.equal(error.code, 'JobFailed');
    }));
});
