// Names for user and kernel addresses (native/src/symbols*.cc), asked of programs compiled here that print their own addresses.
// What hostile files do is in symbols-hostile.kernel.test.ts, who mapped what when in mappings.kernel.test.ts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import type { NativeFailure } from './api.ts';
import { native } from './index.ts';
import { compile, framesOf, prelude, programFolder, run, runUntilStopped } from './test-programs.ts';

const folder = programFolder();
const mappings = native.openMappings();
const symbolizer = native.openSymbolizer(mappings);
after(() => {
  symbolizer.close();
  mappings.close();
});

const inlining = `${prelude}
static inline __attribute__((always_inline)) void *innermost(void) {
  void *at;
  here(at);
  return at;
}
static inline __attribute__((always_inline)) void *middle(void) {
  return innermost();
}
__attribute__((noinline)) void *outer(void) {
  return middle();
}
int main(void) {
  say("inside", outer()); say("outer", outer); say("main", main); now();
}
`;

test('a C program with DWARF gives function, file and line, and inlined functions innermost first', async () => {
  const line = (text: string) => inlining.split('\n').findIndex((l) => l.includes(text)) + 1;
  const ran = await run([compile(folder, 'inlining', 'c', inlining, ['-g', '-O1'])]);
  const frames = await framesOf(symbolizer, ran, 'inside');
  assert.deepEqual(
    frames.map(({ name, kind, line }) => ({ name, kind, line })),
    [
      { name: 'innermost', kind: 'inlined', line: line('here(at);') },
      { name: 'middle', kind: 'inlined', line: line('return innermost()') },
      { name: 'outer', kind: 'user', line: line('return middle()') },
    ],
  );
  assert.equal(frames[0]?.module, join(folder, 'inlining'));
  assert.equal(basename(frames[0]?.file ?? ''), 'inlining.c');
});

test('addresses after the first are return addresses: the call before them is named', async () => {
  const source = `${prelude}
void *after_call;
__attribute__((noinline)) void note(void) { after_call = __builtin_return_address(0); }
__attribute__((noinline, noreturn)) void leave(void) { say("after", after_call); now(); exit(0); }
__attribute__((noinline)) void caller(void) { note();
  leave(); }
__attribute__((noinline)) void following(void) { say("following", following); }
int main(void) { say("caller", caller); say("following", following); caller(); }
`;
  const ran = await run([compile(folder, 'calls', 'c', source, ['-g', '-O1'])]);
  const { following = 0n, caller = 0n, after = 0n } = ran.addresses;
  // As innermost frame an address means itself; as a caller's, the instruction before it.
  const frames = await symbolizer.user(
    ran.pid,
    ran.time,
    BigUint64Array.of(following, following, caller, after),
  );
  assert.equal(frames[0]?.at(-1)?.name, 'following');
  assert.notEqual(frames[1]?.at(-1)?.name, 'following');
  assert.notEqual(frames[2]?.at(-1)?.name, 'caller');
  const call = source.split('\n').findIndex((l) => l.includes('note();')) + 1;
  assert.deepEqual([frames[3]?.at(-1)?.name, frames[3]?.at(-1)?.line], ['caller', call]);
});

test('C++ and Rust names are demangled, Rust without its hash', async () => {
  const cc = `${prelude}
namespace shop { struct Cart { template <typename T> __attribute__((noinline)) static T add(T a) { say("template", (void *)&Cart::add<T>); return a; } }; }
int main() { shop::Cart::add(1); now(); }
`;
  const cpp = await run([compile(folder, 'cart', 'cc', cc, ['-O1'])]);
  assert.equal((await framesOf(symbolizer, cpp, 'template'))[0]?.name, 'int shop::Cart::add<int>(int)');

  const rs = `
mod shop { pub struct Cart; impl Cart { #[inline(never)] pub fn add(n: u64) -> u64 { println!("method {:p}", Cart::add as *const ()); n } } }
fn main() { std::process::exit((shop::Cart::add(0)) as i32) }
`;
  for (const mangling of ['legacy', 'v0'])
    for (const debug of ['0', '1']) {
      const flags = ['-C', `debuginfo=${debug}`, '-C', `symbol-mangling-version=${mangling}`];
      const unstable = mangling === 'legacy' ? ['-Z', 'unstable-options'] : [];
      process.env.RUSTC_BOOTSTRAP = '1';
      const rust = await run([
        compile(folder, `rust_${mangling}${debug}`, 'rs', rs, [...flags, ...unstable]),
      ]);
      const name = (await framesOf(symbolizer, rust, 'method')).at(-1)?.name;
      assert.match(name ?? '', /^(rust_\w+::shop::Cart::add|<rust_\w+::shop::Cart>::add)$/);
    }
});

test('stripped, static and late-loaded code has names, or module+0xoffset where there is no symbol', async () => {
  const library = `${prelude}
static __attribute__((noinline, used)) void hidden(void) { say("hidden", hidden); }
void exported(void) { say("exported", exported); hidden(); }
`;
  const so = compile(folder, 'late.so', 'c', library, ['-shared', '-fPIC', '-O1']);
  execFileSync('strip', [so]);
  const source = `${prelude}
int main(int argc, char **argv) {
  if (argc > 1) { usleep(30000); void *l = dlopen(argv[1], RTLD_NOW); if (!l) { puts(dlerror()); return 1; } ((void (*)(void))dlsym(l, "exported"))(); }
  say("main", main); say("puts", puts); now();
}
`;
  const dynamic = await run([compile(folder, 'dynamic', 'c', source, ['-O1', '-fno-builtin']), so]);
  assert.equal((await framesOf(symbolizer, dynamic, 'exported'))[0]?.name, 'exported');
  assert.equal((await framesOf(symbolizer, dynamic, 'main'))[0]?.name, 'main');
  assert.match((await framesOf(symbolizer, dynamic, 'puts'))[0]?.name ?? '', /puts/);
  const [hidden] = await framesOf(symbolizer, dynamic, 'hidden');
  assert.match(hidden?.name ?? '', /^late\.so\+0x[0-9a-f]+$/);
  assert.equal(hidden?.module, so);

  for (const kind of ['-static', '-static-pie', '-no-pie']) {
    const ran = await run([compile(folder, `kind${kind}`, 'c', source, ['-O1', '-g', kind])]);
    const [frame] = await framesOf(symbolizer, ran, 'main');
    assert.deepEqual([frame?.name, basename(frame?.file ?? '')], ['main', `kind${kind}.c`], kind);
  }
});

test('a separate debug file of the same build is found by the debug link; one of another build is not used', async () => {
  const path = compile(folder, 'linked', 'c', inlining, ['-g', '-O1', '-Wl,--build-id=sha1']);
  mkdirSync(join(folder, '.debug'));
  const debug = join(folder, '.debug', 'linked.debug');
  execFileSync('objcopy', ['--only-keep-debug', '--compress-debug-sections=zlib', path, debug]);
  execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, path]);
  const frames = await framesOf(symbolizer, await run([path]), 'inside');
  assert.deepEqual(
    frames.map((frame) => frame.name),
    ['innermost', 'middle', 'outer'],
  );
  const other = compile(folder, 'linked2', 'c', `${inlining}\nint more;`, [
    '-g',
    '-O1',
    '-Wl,--build-id=sha1',
  ]);
  execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, other]);
  const [frame] = await framesOf(symbolizer, await run([other]), 'inside');
  assert.match(frame?.name ?? '', /^linked2\+0x/);
});

test('an address in no mapping is written in hex, with a process that is not known at all too', async () => {
  const ran = await run([join(folder, 'inlining')]);
  const frames = await symbolizer.user(ran.pid, ran.time, BigUint64Array.of(0x10n, 0n));
  assert.deepEqual(frames, [[{ name: '0x10', kind: 'user' }], [{ name: '0x0', kind: 'user' }]]);
  assert.deepEqual(await symbolizer.user(2 ** 31 - 1, ran.time, BigUint64Array.of(0x10n)), [
    [{ name: '0x10', kind: 'user' }],
  ]);
});

test('functions of the vdso have names', async () => {
  const source = `${prelude}
#include <elf.h>
#include <sys/auxv.h>
int main(void) {
  char *base = (char *)getauxval(AT_SYSINFO_EHDR); Elf64_Ehdr *e = (void *)base; Elf64_Phdr *p = (void *)(base + e->e_phoff);
  Elf64_Dyn *d = 0; Elf64_Sym *symbols = 0; char *names = 0; unsigned *hash = 0; uint64_t bias = 0;
  for (int i = 0; i < e->e_phnum; i++) { if (p[i].p_type == PT_DYNAMIC) d = (void *)(base + p[i].p_offset); if (p[i].p_type == PT_LOAD) bias = (uint64_t)base + p[i].p_offset - p[i].p_vaddr; }
  for (; d->d_tag; d++) { char *at = (char *)(bias + d->d_un.d_ptr); if (d->d_tag == DT_SYMTAB) symbols = (void *)at; if (d->d_tag == DT_STRTAB) names = at; if (d->d_tag == DT_HASH) hash = (void *)at; }
  for (unsigned i = 1; i < (hash ? hash[1] : 12); i++)
    if (strstr(names + symbols[i].st_name, "clock_gettime")) { say("vdso", (void *)(bias + symbols[i].st_value)); break; }
  now();
}
`;
  const [frame] = await framesOf(symbolizer, await run([compile(folder, 'vdso', 'c', source, [])]), 'vdso');
  assert.match(frame?.name ?? '', /clock_gettime/);
  assert.equal(frame?.module, '[vdso]');
});

test('generated code has the names of the perf map, later lines first, during and after the process', async () => {
  const source = `${prelude}
int main(void) {
  char *code = mmap(0, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char path[64]; sprintf(path, "/tmp/perf-%d.map", getpid());
  usleep(60000);
  FILE *map = fopen(path, "w");
  fprintf(map, "%lx 100 first\\nnonsense\\n%lx\\n%lx zz bad\\n%lx 40 replaced\\n%lx 40 LazyCompile:~with spaces /app.js:1\\n", (long)code, (long)code, (long)code, (long)code + 256, (long)code + 256);
  fflush(map); say("first", code + 0xff); say("second", code + 256); say("outside", code + 0x140); now();
  puts("ready"); fflush(stdout); getchar();
  fprintf(map, "%lx 40 third\\n%lx 10 again\\n", (long)code + 0x140, (long)code + 16); fclose(map);
  usleep(150000); unlink(path);
}
`;
  const ran = await runUntilStopped([compile(folder, 'jit', 'c', source, ['-O1'])]);
  const names = async () => {
    const of = ['first', 'second', 'outside'].map(async (name) => (await framesOf(symbolizer, ran, name))[0]);
    return (await Promise.all(of)).map((frame) => [frame?.kind, frame?.name.replace(/^0x.*/, 'hex')]);
  };
  const second = ['jit', 'LazyCompile:~with spaces /app.js:1'];
  assert.deepEqual(await names(), [['jit', 'first'], second, ['user', 'hex']]);
  await ran.stop();
  assert.deepEqual(await names(), [['jit', 'first'], second, ['jit', 'third']]);
  const start = (ran.addresses.first ?? 0n) - 0xefn;
  const frames = await symbolizer.user(ran.pid, ran.time, BigUint64Array.of(start));
  assert.equal(frames[0]?.[0]?.name, 'again');
});

test('the perf map of a process with a pid and a /tmp of its own is the one that it means', async () => {
  const script = `mount -t tmpfs none /tmp && exec "$0"`;
  const copy = readFileSync(join(folder, 'jit'));
  const place = join('/var/tmp', basename(folder));
  writeFileSync(place, copy, { mode: 0o755 });
  const outer = await runUntilStopped(['unshare', '-m', '-p', '-f', 'sh', '-c', script, place]);
  rmSync(place);
  const pid = Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8'));
  const ran = { ...outer, pid };
  assert.equal((await framesOf(symbolizer, ran, 'first'))[0]?.name, 'first');
  await outer.stop();
  assert.equal((await framesOf(symbolizer, ran, 'outside'))[0]?.name, 'third');
});

test("Node's own perf map names its functions", async () => {
  const script =
    'function burnSomeTime(n){let x=0;for(let i=0;i<n;i++)x+=i%7;return x};for(let i=0;i<2000;i++)burnSomeTime(1000);console.log("ready");process.stdin.resume()';
  const log = ['--no-logfile-per-isolate', `--logfile=${join(folder, 'v8.log')}`];
  const ran = await runUntilStopped([process.execPath, '--perf-basic-prof', ...log, '-e', script]);
  const path = `/tmp/perf-${ran.pid}.map`;
  const lines = readFileSync(path, 'utf8').split('\n');
  const last = lines.findLast((line) => line.includes('burnSomeTime')) ?? '';
  const address = BigInt(`0x${last.split(' ')[0]}`);
  await ran.stop();
  const frames = await symbolizer.user(ran.pid, native.clocks().monotonic, BigUint64Array.of(address));
  execFileSync('rm', ['-f', path]);
  assert.match(frames[0]?.[0]?.name ?? '', /burnSomeTime/);
  assert.equal(frames[0]?.[0]?.kind, 'jit');
});

test('kernel addresses have their functions’ names', () => {
  const line = readFileSync('/proc/kallsyms', 'utf8')
    .split('\n')
    .find((text) => /^[0-9a-f]+ [tT] do_sys_openat2$/.test(text));
  const address = BigInt(`0x${line?.split(' ')[0]}`);
  const frames = symbolizer.kernel(BigUint64Array.of(address, address + 8n, 1n));
  assert.deepEqual(frames[0], [{ name: 'do_sys_openat2', kind: 'kernel' }]);
  assert.deepEqual(frames[1], [{ name: 'do_sys_openat2', kind: 'kernel' }]);
  assert.equal(frames[2]?.[0]?.name, '0x1');
});

test('without mappings, live processes are resolved', async () => {
  const alone = native.openSymbolizer();
  const ran = await runUntilStopped([join(folder, 'jit')]);
  const own = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((line) => line.includes(' r-xp '));
  const frames = await alone.user(
    process.pid,
    0n,
    BigUint64Array.of(BigInt(`0x${own?.split('-')[0]}`) + 64n),
  );
  assert.notEqual(frames[0]?.[0]?.module, undefined);
  assert.equal((await framesOf(alone, ran, 'first'))[0]?.name, 'first');
  await ran.stop();
  alone.close();
});

test('wrong arguments and closed handles are told', async () => {
  const is = (code: string) => (error: NativeFailure) => error.code === code;
  // @ts-expect-error: an array is not a BigUint64Array
  assert.throws(() => symbolizer.user(1, 0n, [1n]), is('InvalidArgument'));
  assert.throws(() => symbolizer.user(-1, 0n, new BigUint64Array()), is('InvalidArgument'));
  assert.throws(() => mappings.addProcess(2 ** 31 - 1), is('NotFound'));
  const closed = native.openSymbolizer();
  closed.close();
  closed.close();
  assert.throws(() => closed.kernel(new BigUint64Array()), is('Closed'));
  assert.deepEqual(await symbolizer.user(1, 0n, new BigUint64Array()), []);
  const watch = native.openMappings();
  const orphan = native.openSymbolizer(watch);
  watch.close();
  await assert.rejects(orphan.user(1, 0n, BigUint64Array.of(1n)), is('Closed'));
  assert.throws(() => watch.addProcess(1), is('Closed'));
  assert.throws(() => native.openSymbolizer(watch), is('Closed'));
});
