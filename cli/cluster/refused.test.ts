// What kubectl-sonde says when the cluster, or its user, can't: what is missing, who may not, which name was meant.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type FakeCluster, status } from '../../test/support/fake-cluster.ts';
import { main, putJob, withCluster } from '../../test/support/kubectl-sonde.ts';
import { start } from '../../test/support/sonde.ts';
import { CliError } from '../errors.ts';
import { fetch } from './fetch.ts';
import { list } from './list.ts';
import { run as runInCluster } from './run.ts';
import { watch } from './watch.ts';

describe('kubectl-sonde', { concurrency: 3 }, () => {
  test('errors teach: what is missing, who may not, which name was meant', () =>
    withCluster(async (cluster) => {
      putJob(cluster);
      const refused = (code: number, body: unknown) => () => ({
        status: code,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const run = ['run', 'cpu-profile', '-l', 'app=checkout'];
      const cases: [string[], FakeCluster['answer'], number, RegExp][] = [
        [
          run,
          refused(404, '404 page not found\n'),
          3,
          /the cluster knows no such kind\n {2}Install it: `helm install sonde/,
        ],
        [
          run,
          refused(401, status(401, 'Unauthorized', 'Unauthorized')),
          3,
          /does not accept the credentials/,
        ],
        [
          run,
          refused(
            403,
            status(
              403,
              'Forbidden',
              'tracejobs.sonde.dev is forbidden: User "ann" cannot create resource "tracejobs" in API group "sonde.dev" in the namespace "shop"',
              'tracejobs',
            ),
          ),
          3,
          /ann may not create tracejobs\.sonde\.dev in namespace shop\n.*ClusterRole edit/,
        ],
        [
          run,
          refused(
            403,
            status(403, 'Forbidden', 'ValidatingAdmissionPolicy denied: at most 60s', 'tracejobs'),
          ),
          2,
          /at most 60s/,
        ],
        [
          run,
          refused(
            400,
            status(400, 'BadRequest', 'strict decoding error: unknown field "spec.trace.cpuProfile"'),
          ),
          3,
          /does not know spec\.trace\.cpuProfile\n {2}Upgrade the chart/,
        ],
        [
          run,
          refused(404, status(404, 'NotFound', 'namespaces "shop" not found', 'namespaces')),
          2,
          /namespaces "shop" not found/,
        ],
        [
          ['watch', 'chekout-cpu'],
          undefined,
          2,
          /no TraceJob chekout-cpu in namespace shop; did you mean checkout-cpu\?/,
        ],
        [['fetch', 'checkout-cpu'], undefined, 2, /no result yet: no operator has taken it up/],
        [['run', 'cpu-profile', '--name', 'checkout-cpu'], undefined, 2, /already exists/],
        [['run', 'cpu-profle'], undefined, 2, /did you mean cpu-profile/],
        [['run', 'cpu-profile', '-d', '60'], undefined, 2, /--duration: 60 is a number without a unit/],
        [['run', 'cpu-profile', '--pid', '7'], undefined, 2, /--pid names a process; in a cluster/],
        [['fetch', 'checkout-cpu', '--output', 'json'], undefined, 2, /Write -o json for the format/],
        [['list', '--context', 'other'], undefined, 2, /has no context other\n {2}It has fake/],
        [['list', '--kubeconfig', 'absent'], undefined, 2, /can't read the kubeconfig absent/],
      ];
      await assert.rejects(runInCluster(['cpu-profile', '--', 'ls']), /on this machine only/);
      const subcommands = { run: runInCluster, watch, fetch, list };
      for (const [[command = '', ...args], answer, code, message] of cases) {
        if (answer === undefined) delete cluster.answer;
        else cluster.answer = answer;
        const given = args.includes('--kubeconfig') ? args : [...args, '--kubeconfig', cluster.kubeconfig];
        const ended = subcommands[command as keyof typeof subcommands](given);
        await assert.rejects(ended, (error: unknown) => {
          assert.ok(error instanceof CliError, String(error));
          assert.match(`${error.message}\n  ${error.advice}`, message, args.join(' '));
          assert.equal(error.exit, code, error.message);
          return true;
        });
      }
    }));

  test('an API server that is not there, and none at all', () =>
    withCluster(async (cluster) => {
      mkdirSync(join(cluster.folder, 'home'));
      const none = await start(
        [
          'env',
          '-u',
          'KUBECONFIG',
          `HOME=${cluster.folder}/home`,
          'SONDE_CALLED=kubectl-sonde',
          process.execPath,
          main,
          'list',
        ],
        {
          cwd: cluster.folder,
        },
      ).ended;
      assert.equal(none.code, 3, none.stderr);
      assert.match(none.stderr, /there is no kubeconfig, and this is no pod/);
    }));
});
