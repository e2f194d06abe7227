// Who mapped what when (native/src/mappings*.cc): processes that exec, fork, reuse a pid, hide in a mount namespace, delete their
// file, and are gone when their addresses are asked for. Storms of short processes must not make the watch grow.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { native } from './index.ts';
import {
  compile,
  framesOf,
  prelude,
  programFolder,
  type Ran,
  run,
  runUntilStopped,
} from './test-programs.ts';

const folder = programFolder();
const mappings = native.openMappings();
const symbolizer = native.openSymbolizer(mappings);
after(() => {
  symbolizer.close();
  mappings.close();
});

/** A program of this name with one function of the same name; it sleeps, then execs the rest of its arguments. */
function program(name: string, flags: string[] = ['-g', '-O1', '-static-pie']): string {
  const source = `${prelude}
__attribute__((noinline)) void ${name}(void) { say("${name}", ${name}); }
int main(int argc, char **argv) { ${name}(); now(); now_as("time_${name}"); usleep(20000); if (argc > 1) execv(argv[1], argv + 1); }
`;
  return compile(folder, name, 'c', source, flags);
}

async function nameOf(ran: Ran, name: string): Promise<string | undefined> {
  return (await framesOf(symbolizer, ran, name)).at(-1)?.name;
}

test('a pid has its addresses by time: before an exec and after it', async () => {
  // Fixed addresses: both programs lie at the same place.
  const [one, two] = [program('before_exec', ['-g', '-static']), program('after_exec', ['-g', '-static'])];
  const ran = await run([one, two]);
  const first = { ...ran, time: ran.addresses.time_before_exec ?? 0n };
  assert.equal(await nameOf(first, 'before_exec'), 'before_exec');
  assert.equal(await nameOf(ran, 'after_exec'), 'after_exec');
  assert.notEqual(await nameOf(ran, 'before_exec'), 'before_exec');
});

test('processes of a few milliseconds are resolved after they have ended', async () => {
  const source = `${prelude}
__attribute__((noinline)) void brief(void) { say("brief", brief); }
int main(void) { brief(); now(); }
`;
  const path = compile(folder, 'brief', 'c', source, ['-g', '-O1']);
  const all = await Promise.all(Array.from({ length: 20 }, () => run([path])));
  for (const ran of all) assert.equal(await nameOf(ran, 'brief'), 'brief');
});

test('a reused pid is told apart by time', async (t) => {
  const source = `${prelude}
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
int main(int argc, char **argv) {
  pid_t pid = fork();
  if (pid == 0) execl(argv[1], argv[1], (char *)0);
  waitpid(pid, 0, 0);
  struct clone_args args; memset(&args, 0, sizeof args);
  args.exit_signal = SIGCHLD; args.set_tid = (uint64_t)(uintptr_t)&pid; args.set_tid_size = 1;
  long again = syscall(SYS_clone3, &args, sizeof args);
  if (again == 0) execl(argv[2], argv[2], (char *)0);
  if (again < 0) { perror("clone3"); return 1; }
  waitpid(pid, 0, 0);
  printf("pid %d\\n", pid); return 0;
}
`;
  const reuse = compile(folder, 'reuse', 'c', source, []);
  const [one, two] = [program('first_owner', ['-g', '-static']), program('second_owner', ['-g', '-static'])];
  const ran = await run([reuse, one, two]);
  if (ran.addresses.pid === undefined) return t.skip('this kernel lets no process choose its pid');
  const later = { ...ran, pid: Number(ran.addresses.pid) };
  assert.equal(await nameOf(later, 'second_owner'), 'second_owner');
  const earlier = { ...later, time: ran.addresses.time_first_owner ?? 0n };
  assert.equal(await nameOf(earlier, 'first_owner'), 'first_owner');
});

test('a fork without exec has its parent’s addresses, after both are gone', async () => {
  const source = `${prelude}
#include <sys/wait.h>
__attribute__((noinline)) void both(void) { say("both", both); }
int main(void) { pid_t child = fork(); if (child == 0) { usleep(5000); _exit(0); } both(); printf("child %d\\n", child); now(); wait(0); }
`;
  const ran = await run([compile(folder, 'forks', 'c', source, ['-g', '-O1'])]);
  assert.equal(await nameOf({ ...ran, pid: Number(ran.addresses.child) }, 'both'), 'both');
});

test('a program in a mount namespace of its own is resolved when both are gone', async () => {
  const path = program('hidden_away');
  const inside = join(folder, 'mount');
  mkdirSync(inside);
  const script = `mount -t tmpfs none ${inside} && cp ${path} ${inside}/hidden && rm ${path} && exec ${inside}/hidden`;
  const ran = await run(['unshare', '-m', 'sh', '-c', script]);
  const [frame] = await framesOf(symbolizer, ran, 'hidden_away');
  assert.deepEqual([frame?.name, frame?.module], ['hidden_away', `${inside}/hidden`]);
});

test('an overlay’s files are known by the overlay’s path', async (t) => {
  const layers = join(folder, 'overlay');
  for (const layer of ['lower', 'upper', 'work', 'merged', 'tmp'])
    mkdirSync(join(layers, layer), { recursive: true });
  copyFileSync(program('overlaid'), join(layers, 'lower/overlaid'));
  const script = `mount -t tmpfs none ${layers}/tmp && mkdir ${layers}/tmp/u ${layers}/tmp/w && \
    mount -t overlay -o lowerdir=${layers}/lower,upperdir=${layers}/tmp/u,workdir=${layers}/tmp/w none ${layers}/merged && \
    exec ${layers}/merged/overlaid`;
  if (!readFileSync('/proc/filesystems', 'utf8').includes('\toverlay'))
    return t.skip('no overlay in this kernel');
  const ran = await run(['unshare', '-m', 'sh', '-c', script]);
  assert.equal(await nameOf(ran, 'overlaid'), 'overlaid');
});

test('a program that deletes its own file is resolved', async () => {
  const source = `${prelude}
__attribute__((noinline)) void deleted(void) { say("deleted", deleted); }
int main(int argc, char **argv) { unlink(argv[0]); deleted(); now(); usleep(30000); }
`;
  const ran = await run([compile(folder, 'deleting', 'c', source, ['-g'])]);
  assert.equal(await nameOf(ran, 'deleted'), 'deleted');
});

test('a program run from a memfd is resolved', async () => {
  const source = `${prelude}
#include <fcntl.h>
int main(int argc, char **argv) {
  int in = open(argv[1], O_RDONLY), out = memfd_create("program", 0); char block[4096]; ssize_t n;
  while ((n = read(in, block, sizeof block)) > 0) if (write(out, block, n) != n) return 1;
  fexecve(out, argv + 1, (char *[]){0});
}
`;
  const ran = await run([compile(folder, 'from_memory', 'c', source, []), program('in_memory')]);
  assert.equal(await nameOf(ran, 'in_memory'), 'in_memory');
});

test('a process from before the watch is resolved once it was added, and still after it has ended', async () => {
  const source = `${prelude}
__attribute__((noinline)) void elder(void) { say("elder", elder); }
int main(void) { elder(); now(); puts("ready"); fflush(stdout); getchar(); }
`;
  const ran = await runUntilStopped([compile(folder, 'elder', 'c', source, ['-g'])]);
  const late = native.openMappings();
  const own = native.openSymbolizer(late);
  late.addProcess(ran.pid);
  const now = { ...ran, time: native.clocks().monotonic };
  assert.equal((await framesOf(own, now, 'elder'))[0]?.name, 'elder');
  await ran.stop();
  assert.equal((await framesOf(own, now, 'elder'))[0]?.name, 'elder');
  own.close();
  late.close();
});

const storm = `${prelude}
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
  int count = atoi(argv[1]); char *run[] = {argv[2], 0}; struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int i = 0; i < count; i++) { pid_t pid; if (posix_spawn(&pid, argv[2], 0, 0, run, environ)) return 1; waitpid(pid, 0, 0); }
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("nanoseconds %lld\\n", (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec);
}
`;

test('a storm of 2,000 short processes loses nothing and costs a known little memory', async (t) => {
  const tool = compile(folder, 'storm', 'c', storm, ['-O1']);
  const short = compile(folder, 'short', 'c', 'int main(void) { return 0; }', ['-O1']);
  const before = mappings.counters();
  const rss = process.memoryUsage.rss();
  const { addresses } = await run([tool, '2000', short]);
  await symbolizer.user(process.pid, native.clocks().monotonic, BigUint64Array.of(1n));
  const now = mappings.counters();
  const records = now.records - before.records;
  const bytes = (now.endedBytes - before.endedBytes) / 2000;
  t.diagnostic(
    `${Math.round(Number(addresses.nanoseconds) / 2_000_000)} µs per process, ${records / 2000} records and ${bytes} bytes each, ` +
      `${((now.cpuNanoseconds - before.cpuNanoseconds) / 2e6).toFixed(1)} µs of the watch's thread each, ${now.files} files open, ` +
      `resident +${((process.memoryUsage.rss() - rss) / 1e6).toFixed(1)} MB`,
  );
  assert.equal(now.lost, 0);
  // fork, exec, exit, and at least the program, its linker, libc and the vdso.
  assert.ok(records >= 2000 * 7, `${records} records`);
  assert.ok(bytes < 1500, `${bytes} bytes each`);
  assert.ok(now.files - before.files < 50);
  assert.ok(now.endedBytes <= 16 << 20);
});

test('closing gives back every file, event, thread and mapping; dropping does too', async () => {
  const fds = () => readdirSync('/proc/self/fd').length;
  const threads = () => readdirSync('/proc/self/task').length;
  const rings = () =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((l) => l.includes('perf_event')).length;
  const ran = await run([join(folder, 'brief')]);
  const counts = () => ({ fds: fds(), threads: threads(), rings: rings() });
  const before = counts();
  for (let i = 0; i < 20; i++) {
    const one = native.openMappings();
    const names = native.openSymbolizer(one);
    one.addProcess(process.pid);
    await names.user(process.pid, native.clocks().monotonic, BigUint64Array.of(ran.addresses.brief ?? 0n));
    if (i % 2) {
      one.close();
      one.close();
      names.close();
    }
  }
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(counts(), before);
});
