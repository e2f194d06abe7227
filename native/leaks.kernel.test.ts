// What is left behind: nothing, after many rounds, after SIGKILL, after handles are forgotten, after a worker thread is torn down.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { command } from '../build/step.ts';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const path = await testObject('ring');
const scenario = `${import.meta.dirname}/testdata/hold.ts`;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function start() {
  const object = native.openObject(path);
  object.setVariable('target', process.pid);
  object.setVariable('syscall', process.arch === 'arm64' ? 176n : 104n);
  object.setMaxEntries('events', 65536);
  object.setAutoload('write_records', true);
  object.load();
  const link = object.attach('write_records');
  let rows = 0;
  const reader = native.readRing(object, {
    ring: 'events',
    record: 'event',
    onBatch: (batch) => {
      rows += batch.rows;
    },
    onError: (error) => assert.fail(error),
  });
  return { object, link, reader, rows: () => rows };
}

/** Ids of the programs of one name; bpftool lists at least what this process can see. */
async function programIds(name: string): Promise<number[]> {
  const all: { id: number; name?: string }[] = JSON.parse(
    await command(['bpftool', 'prog', 'show', '--json']),
  );
  return all.filter((program) => program.name === name).map((program) => program.id);
}

test('200 rounds of start and stop leave no program, map, link, descriptor or thread', async () => {
  const round = async () => {
    const { object, link, reader, rows } = start();
    process.getgid?.();
    await reader.stop();
    link.close();
    object.close();
    assert.equal(rows(), 1);
  };
  await round();
  const before = native.held();
  for (let i = 0; i < 200; i++) await round();
  assert.deepEqual(native.held(), before);
  assert.equal(before.programs + before.maps + before.links, 0);
});

test('handles that are forgotten without close are freed by the garbage collector', async () => {
  const before = native.held();
  for (let i = 0; i < 20; i++) start();
  assert.ok(native.held().programs >= 20);
  for (let i = 0; i < 50 && native.held().programs > 0; i++) {
    await wait(10);
    collect();
  }
  const { programs, maps, links } = native.held();
  assert.deepEqual({ programs, maps, links }, { programs: 0, maps: 0, links: 0 });
  assert.ok(native.held().fds <= before.fds);
});

test('a link keeps its object attached after the object is forgotten', async () => {
  const link = (() => {
    const { object, link, reader } = start();
    void reader.stop();
    void object;
    return link;
  })();
  for (let i = 0; i < 5; i++) {
    await wait(5);
    collect();
  }
  assert.equal(native.held().links, 1);
  link.close();
  for (let i = 0; i < 50 && native.held().programs > 0; i++) {
    await wait(10);
    collect();
  }
  assert.equal(native.held().programs, 0);
});

test('SIGKILL leaves nothing in the kernel', async () => {
  // A copy of the object whose program bears this run's name, which nobody else loads.
  const name = `kill_${process.pid}`.padEnd('write_records'.length, '_').slice(0, 'write_records'.length);
  const file = `${path}.${process.pid}`;
  await writeFile(
    file,
    Buffer.from((await readFile(path, 'latin1')).replaceAll('write_records', name), 'latin1'),
  );
  const child = fork(scenario, [file, name], { stdio: 'inherit' });
  await new Promise((resolve) => child.once('message', resolve));
  await rm(file);
  assert.equal((await programIds(name)).length, 1);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  // The kernel frees programs a grace period later.
  for (let i = 0; i < 100 && (await programIds(name)).length > 0; i++) await wait(50);
  assert.deepEqual(await programIds(name), []);
});

test('ending a worker thread in the middle of reading ends its reader, and does not end the process', async () => {
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(scenario, { argv: [path] });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.ok(native.held().programs > 0);
    await worker.terminate();
  }
  for (let i = 0; i < 50 && native.held().programs > 0; i++) await wait(10);
  assert.equal(native.held().programs, 0);
});
