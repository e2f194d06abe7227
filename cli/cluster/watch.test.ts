// `kubectl sonde watch`, `list`, `stop` and `doctor` as a user has them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { complete, condition, putJob, sonde, withCluster } from '../../test/support/kubectl-sonde.ts';

describe('kubectl-sonde', { concurrency: 3 }, () => {
  test('watch shows plain lines on a pipe, then the first rows; hostile text is escaped', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const started = sonde(cluster, ['watch', 'tracejob/checkout-cpu']);
      await new Promise((resolve) => setTimeout(resolve, 100));
      cluster.setStatus('checkout-cpu', {
        phase: 'Running',
        nodes: { matched: 2, running: 1, failed: 1 },
        failures: [{ node: 'node-b', reason: 'AgentUnreachable', message: 'does not \x1b[31manswer' }],
      });
      await started.said(/node-b: AgentUnreachable: does not \\x1b\[31manswer/);
      complete(cluster, 'checkout-cpu', {
        summary: 'SELF  FUNCTION\n 41%  evil\x1b]0;title\x07\n',
        conditions: [
          condition('Complete', true, 'Published'),
          condition('Degraded', true, 'AgentUnreachable', 'node-b: does not answer'),
        ],
      });
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '41% of CPU in json.Unmarshal\nSELF  FUNCTION\n 41%  evil\\x1b]0;title\\x07\n');
      assert.match(
        stderr,
        /Succeeded {2}30 s {2}2 of 2 nodes, 6 of 6 pods {2}12,345 recorded, 0 lost {2}cost 12m CPU, 24Mi a node/,
      );
      assert.match(stderr, /the result is a part: AgentUnreachable/);
      assert.ok(!stderr.includes('\x1b'));
    }));

  test('watch survives an API server that is away, and a job that is deleted ends it', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      cluster.setStatus('checkout-cpu', { phase: 'Running' });
      const started = sonde(cluster, ['watch', 'checkout-cpu', '-o', 'name']);
      await started.said(/Running/);
      cluster.answer = () => ({ status: 503, body: 'starting' });
      cluster.dropWatches();
      await started.said(/HTTP 503.*trying again/);
      delete cluster.answer;
      await started.said(/the API server is back/);
      cluster.remove('checkout-cpu');
      const { code, stderr } = await started.ended;
      assert.equal(code, 1);
      assert.match(stderr, /checkout-cpu was deleted while it was followed/);
    }));

  test('list has the columns of kubectl, all namespaces, and every format', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      complete(cluster, 'checkout-cpu', { headline: 'evil\x1b[2J\nline' });
      putJob(cluster, 'b');
      putJob(cluster, 'c');
      cluster.put({
        kind: 'ClusterTraceJob',
        metadata: { name: 'nightly' },
        spec: { trace: { openFiles: {} } },
      });
      const table = await sonde(cluster, ['list']).ended;
      const [head, first] = table.stdout.split('\n');
      assert.match(head ?? '', /^NAME {11}TRACE {9}PHASE {7}PODS {3}NODES {3}HEADLINE +AGE$/);
      assert.match(
        first ?? '',
        /^checkout-cpu {3}cpu-profile {3}Succeeded {3}6 {6}2 {7}evil\\x1b\[2J\\nline {3}\d+s$/,
      );
      assert.equal(table.stdout.split('\n').length, 5);
      const all = await sonde(cluster, ['list', '-A', '-o', 'name']).ended;
      assert.match(all.stdout, /tracejob\.sonde\.dev\/c\nclustertracejob\.sonde\.dev\/nightly\n$/);
      const json = JSON.parse((await sonde(cluster, ['list', '-o', 'json']).ended).stdout);
      assert.deepEqual([json.kind, json.items.length, json.items[0].kind], ['List', 3, 'TraceJob']);
      const none = await sonde(cluster, ['list', '-n', 'empty']).ended;
      assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No jobs found in namespace empty.\n']);
    }));

  test('stop sets suspend once, and leaves a job alone that has ended', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const first = await sonde(cluster, ['stop', 'tj/checkout-cpu']).ended;
      assert.equal(first.stdout, 'tracejob.sonde.dev/checkout-cpu stopped\n');
      assert.equal([...cluster.objects.values()][0]?.spec.suspend, true);
      complete(cluster, 'checkout-cpu');
      const second = await sonde(cluster, ['stop', 'checkout-cpu', '-n', 'shop']).ended;
      assert.match(second.stdout, /had ended already/);
      assert.equal(cluster.requests.filter((each) => each.startsWith('PATCH')).length, 1);
    }));

  test('doctor says what is missing, and 3 is its exit code then', () =>
    withCluster(async (cluster) => {
      const ability = (gadget: string, reason?: string) => ({
        gadget,
        hooks: [],
        ...(reason ? { reason } : {}),
      });
      const node = {
        version: '0.1.0',
        protocol: 1,
        kernel: '6.18.44',
        arch: 'x86',
        gadgets: [ability('open-files')],
      };
      const nodes = [
        { ...node, node: 'node-a' },
        { ...node, node: 'node-b' },
        { ...node, node: 'old', kernel: '5.4\x1b[2J', gadgets: [ability('open-files', 'no BTF')] },
      ];
      cluster.answer = ({ path }) =>
        path === '/api/v1/namespaces/sonde-system/configmaps/sonde-nodes'
          ? { status: 200, body: JSON.stringify({ data: { 'nodes.json': JSON.stringify(nodes) } }) }
          : undefined;
      const well = await sonde(cluster, ['doctor']).ended;
      assert.equal(well.code, 0, well.stderr);
      assert.match(well.stdout, /Kubernetes v1\.36\.1[\s\S]*can work in namespace shop/);
      assert.match(
        well.stdout,
        /^ok {7}node-a, node-b +all 1 gadgets; kernel 6\.18\.44 x86, agent 0\.1\.0$/m,
      );
      assert.match(
        well.stdout,
        /^warn {5}old +0 of 1 gadgets; kernel 5\.4\\x1b\[2J x86.*1 gadget can't run\n +→ open-files: no BTF$/m,
      );
      cluster.answer = ({ path }) =>
        path === '/apis/sonde.dev/v1alpha1' ? { status: 404, body: '404 page not found\n' } : undefined;
      const without = await sonde(cluster, ['doctor', '-o', 'json']).ended;
      assert.equal(without.code, 3);
      assert.equal(JSON.parse(without.stdout).canRun, false);
    }));
});
