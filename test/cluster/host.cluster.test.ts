// `sonde run` from the agent's image on a host without Kubernetes: a container that containerd's own ctr starts, with the host's processes and cgroups and
// the agent's few rights. Of the test cluster it needs a containerd and nothing else. Neighbours: Containerfile, docs/install.md (the same command).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { goTool } from '../../build/tools.ts';
import { workload } from '../support/workload.ts';
import { buildTestImages, images } from './images.ts';
import { nodes } from './layout.ts';
import { entering } from './processes.ts';
import { cluster } from './support/cluster.ts';
import { tally } from './support/jobs.ts';
import { run } from './support/run.ts';

const testCluster = await cluster();
const [place] = nodes;

test('sonde run from the image traces a process of the host, and leaves nothing', {
  skip: testCluster.own ? false : "the cluster's containerd is not reached from here",
}, async (t) => {
  const name = place?.name ?? '';
  // Where containerd is: ctr mounts what it runs by itself.
  const [enter = '', ...into] = await entering(name);
  const program = [await goTool('ctr'), '--namespace', 'sonde-host'];
  const ctr: [string, ...string[]] = [enter, ...into, ...program];
  const { archive } = (await buildTestImages()).find(({ name }) => name === images.agent) ?? assert.fail();
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run([...ctr, ...args], { limit: 120_000 });
    assert.equal(code, 0, `ctr ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  await must('images', 'import', archive);
  t.after(() => must('images', 'remove', '--sync', images.agent));
  // The node has a /run, /var/lib and /var/log of its own; /tmp is this machine's.
  const output = await mkdtemp(join(tmpdir(), 'sonde-host-'));
  t.after(() => rm(output, { recursive: true }));

  const opens = await workload('opens');
  const script = `touch ${output}/there; read go; ${opens} 4000 1000 ${output}/there ${output}/missing; read end`;
  const traced = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(() => traced.kill());

  const bind = (path: string, to = path, mode = 'ro') => [
    '--mount',
    `type=bind,src=${path},dst=${to},options=rbind:${mode}`,
  ];
  const rights = ['BPF', 'PERFMON', 'SYS_PTRACE', 'SYSLOG'].flatMap((name) => ['--cap-add', `CAP_${name}`]);
  const sonde = spawn(
    ctr[0],
    [
      ...ctr.slice(1),
      // As /proc/1/ns/pid, which not every machine shows.
      ...['run', '--rm', '--with-ns', `pid:/proc/${process.pid}/ns/pid`, ...rights],
      ...[...bind('/sys/fs/cgroup'), ...bind('/sys/kernel/tracing'), ...bind(output, '/output', 'rw')],
      ...[images.agent, 'sonde-run', '/opt/sonde/node', '/opt/sonde/dist/sonde.js', 'run', 'open-files'],
      ...['--pid', String(traced.pid), '--duration', '60s', '--output', '/output/result'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const attached = Promise.withResolvers<void>();
  for (const stream of [sonde.stdout, sonde.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (/attached|Tracing/i.test(said)) attached.resolve();
    });
  const ended = new Promise<number | null>((resolve) => {
    sonde.on('close', (code) => {
      attached.resolve();
      resolve(code);
    });
  });
  await attached.promise;
  traced.stdin.end('go\nend\n');
  assert.equal(await ended, 0, said);

  const lines = (await readFile(join(output, 'result/events.jsonl'), 'utf8')).split('\n').filter(Boolean);
  const rows = lines.map((line) => JSON.parse(line)).filter(({ process }) => process === 'opens');
  assert.deepEqual(
    tally(rows, ({ errno }) => `${errno ?? ''}`),
    { '': 3000, ENOENT: 1000 },
  );
  assert.doesNotMatch(await must('containers', 'list'), /sonde-run/);
});
