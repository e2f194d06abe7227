// Files that traced processes own are hostile: broken, cut short while they are read, nested without end, or not files at all.
// Nothing of it may end this process or keep a call from returning. Seeds are fixed; SONDE_FUZZ_SECONDS makes the fuzzing longer.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { native } from './index.ts';
import { compile, framesOf, prelude, programFolder, type Ran, runUntilStopped } from './test-programs.ts';

const folder = programFolder();
const mappings = native.openMappings();
const symbolizer = native.openSymbolizer(mappings);
after(() => {
  symbolizer.close();
  mappings.close();
});

/** Maps the file it is given executable, without running it. */
const mapper = compile(
  folder,
  'mapper',
  'c',
  `${prelude}
#include <fcntl.h>
int main(int argc, char **argv) {
  int file = open(argv[1], O_RDONLY); char *at = mmap(0, 4 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  say("base", at); now(); puts("ready"); fflush(stdout); getchar();
}
`,
  [],
);

const library = `
#include <stdlib.h>
static inline __attribute__((always_inline)) int twice(int n) { return abs(n) * 2; }
struct point { int x, y; union { long l; char c[8]; } u; };
int walk(struct point *p) { int s = 0; for (int i = 0; i < 9; i++) { s += twice(p[i].x); if (s & 1) s += twice(i) + p[i].y; } return s; }
`;

/** The names at addresses all over the mapped file, and in its code. */
async function askAll(ran: Ran, size: number): Promise<string[]> {
  const base = ran.addresses.base ?? 0n;
  const spread = Array.from({ length: 40 }, (_, i) => base + BigInt(Math.floor((size * i) / 40)));
  // Where linkers put the code of a small library.
  const code = Array.from({ length: 40 }, (_, i) => base + 0x1000n + BigInt(i * 16));
  const addresses = [...spread, ...code];
  const frames = await symbolizer.user(ran.pid, native.clocks().monotonic, BigUint64Array.from(addresses));
  assert.equal(frames.length, addresses.length);
  return frames.flat().map((frame) => frame.name);
}

/** A small generator of pseudo-random numbers from 0 to 2^32 - 1. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('thousands of broken ELF files neither crash nor hang', async (t) => {
  const builds: [string, string[]][] = [
    ['plain', ['-g', '-O2']],
    ['zlib', ['-g', '-O2', '-gz=zlib']],
    ['dwarf4', ['-gdwarf-4', '-O2']],
    ['stripped', ['-O2', '-s']],
  ];
  const seconds = Number(process.env.SONDE_FUZZ_SECONDS ?? 6);
  let rounds = 0;
  let resolved = 0;
  let slowest = 0;
  for (const [index, [name, flags]] of builds.entries()) {
    const path = compile(folder, `fuzz-${name}.so`, 'c', library, ['-shared', '-fPIC', ...flags]);
    const good = readFileSync(path);
    const ran = await runUntilStopped([mapper, path]);
    assert.ok(
      (await askAll(ran, good.length)).some((symbol) => symbol === 'walk'),
      name,
    );
    const below = random(index + 1);
    const until = performance.now() + (seconds * 1000) / builds.length;
    while (performance.now() < until) {
      const bad = Buffer.from(good);
      for (let edits = 1 + below(12); edits > 0; edits--) {
        // Headers and section tables are where one byte matters most.
        const places = [below(64), 64 + below(700), bad.length - 1 - below(2500), below(bad.length)];
        const at = Math.max(0, places[below(4)] ?? 0);
        const values = [0, 0xff, 0x7f, 0x80, below(256), (bad[at] ?? 0) ^ (1 << below(8))];
        bad[at] = values[below(6)] ?? 0;
      }
      writeFileSync(path, below(10) ? bad : bad.subarray(0, below(bad.length)));
      const started = performance.now();
      const names = await askAll(ran, good.length);
      slowest = Math.max(slowest, performance.now() - started);
      rounds++;
      resolved += names.some((symbol) => !symbol.includes('+0x')) ? 1 : 0;
    }
    writeFileSync(path, good);
    assert.ok(
      (await askAll(ran, good.length)).some((symbol) => symbol === 'walk'),
      `${name} afterwards`,
    );
    await ran.stop();
  }
  t.diagnostic(
    `${rounds} broken files, ${resolved} of them still gave names; the slowest took ${slowest.toFixed(1)} ms`,
  );
  assert.ok(rounds > 500);
  assert.ok(slowest < 5000);
});

test('a file cut short while it is being read costs its names only', async () => {
  const path = compile(folder, 'shrinking.so', 'c', library, ['-shared', '-fPIC', '-g']);
  const good = readFileSync(path);
  const ran = await runUntilStopped([mapper, path]);
  for (let round = 0; round < 60; round++) {
    writeFileSync(path, good);
    const asked = askAll(ran, good.length);
    if (round % 3) await new Promise((resolve) => setImmediate(resolve));
    truncateSync(path, round % 2 ? 0 : 4096);
    await asked;
  }
  writeFileSync(path, good);
  assert.ok((await askAll(ran, good.length)).includes('walk'));
  await ran.stop();
});

/** Assembly of a shared object with this .debug_info (a 32-bit DWARF 4 unit whose length is counted by the assembler). */
function nested(depth: number): string {
  return `
.section .note.GNU-stack,"",@progbits
.text
.globl walk
.type walk, @function
walk: .rept 64
nop
.endr
ret
end:
.size walk, . - walk
.section .debug_abbrev,"",@progbits
.uleb128 1,0x11
.byte 1
.uleb128 0x11,1,0x12,7,0,0
.uleb128 2,0x2e
.byte 1
.uleb128 0x11,1,0x12,7,3,8,0,0
.uleb128 3,0x1d
.byte 1
.uleb128 0,0
.byte 0
.section .debug_info,"",@progbits
.long done - begin
begin: .short 4
.long 0
.byte 8
.uleb128 1
.quad walk, end - walk
.uleb128 2
.quad walk, end - walk
.asciz "walk"
.rept ${depth}
.byte 3
.endr
.rept ${depth + 2}
.byte 0
.endr
done:
`;
}

test('entries nested a million deep are not followed; the symbol table still names the function', async () => {
  for (const depth of [10, 1_000_000]) {
    const source = join(folder, `nested${depth}.s`);
    const path = join(folder, `nested${depth}.so`);
    writeFileSync(source, nested(depth));
    execFileSync('gcc', ['-shared', source, '-o', path]);
    const offset =
      execFileSync('nm', [path], { encoding: 'utf8' }).match(/^([0-9a-f]+) T walk$/m)?.[1] ?? '0';
    const ran = await runUntilStopped([mapper, path]);
    const address = (ran.addresses.base ?? 0n) + BigInt(`0x${offset}`) + 8n;
    const frames = await symbolizer.user(ran.pid, ran.time, BigUint64Array.of(address));
    assert.equal(frames[0]?.at(-1)?.name, 'walk');
    await ran.stop();
  }
});

test('a compressed section that grows a thousandfold is not unpacked', async () => {
  const source = join(folder, 'bomb.c');
  const path = join(folder, 'bomb.so');
  writeFileSync(source, library);
  writeFileSync(join(folder, 'zeros'), Buffer.alloc(1));
  truncateSync(join(folder, 'zeros'), 800 << 20);
  execFileSync('gcc', ['-shared', '-fPIC', '-g', source, '-o', `${path}.1`]);
  execFileSync('objcopy', [
    `--add-section=.debug_more=${join(folder, 'zeros')}`,
    '--compress-debug-sections=zlib',
    `${path}.1`,
    path,
  ]);
  rmSync(join(folder, 'zeros'));
  const before = process.memoryUsage.rss();
  const ran = await runUntilStopped([mapper, path]);
  assert.ok((await askAll(ran, 20_000)).includes('walk'));
  assert.ok(process.memoryUsage.rss() - before < 200 << 20);
  await ran.stop();
});

test('mangled names that stand for gigabytes are left as they are', async () => {
  const pairs = Array.from(
    { length: 40 },
    (_, i) => `4pairI${i ? `S${(i - 1).toString(36).toUpperCase()}_` : 'i'}`,
  );
  const name = `_Z1fI${'4pairIiiE'}${pairs.join('')}`;
  const doubling = `_Z1f${'M'.repeat(400)}i`;
  for (const [index, symbol] of [name, doubling, `_ZN${'1aI'.repeat(900)}`].entries()) {
    const source = `__asm__(".globl ${symbol}\\n.type ${symbol}, @function\\n${symbol}: nop\\nnop\\nret\\n.size ${symbol}, 3\\n");`;
    const path = compile(folder, `mangled${index}.so`, 'c', source, ['-shared', '-fPIC']);
    const offset = execFileSync('nm', [path], { encoding: 'utf8' }).match(/^([0-9a-f]+) T _Z/m)?.[1] ?? '0';
    const ran = await runUntilStopped([mapper, path]);
    const address = (ran.addresses.base ?? 0n) + BigInt(`0x${offset}`);
    const frames = await symbolizer.user(ran.pid, ran.time, BigUint64Array.of(address));
    assert.ok((frames[0]?.[0]?.name.length ?? 9999) <= 4096);
    await ran.stop();
  }
});

test('a perf map that is a FIFO, a link or another user’s is not read; a huge one is read up to a bound', async (t) => {
  const source = `${prelude}
#include <sys/stat.h>
int main(int argc, char **argv) {
  char *code = mmap(0, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char path[64], target[80]; sprintf(path, "/tmp/perf-%d.map", getpid()); sprintf(target, "%s.target", path);
  FILE *map;
  switch (argv[1][0]) {
    case 'f': mkfifo(path, 0600); break;
    case 'l': map = fopen(target, "w"); fprintf(map, "%lx 100 linked\\n", (long)code); fclose(map); if (symlink(target, path)) return 1; break;
    case 'o': map = fopen(path, "w"); fprintf(map, "%lx 100 other\\n", (long)code); fclose(map); if (chown(path, 12345, 12345)) return 1; break;
    default: map = fopen(path, "w"); fprintf(map, "%lx 100 found\\n", (long)code);
      for (long i = 0; i < 3000000; i++) fprintf(map, "%lx 10 some_function_with_a_name_%ld\\n", 0x10000 + i * 16, i); fclose(map);
  }
  say("code", code); now(); puts("ready"); fflush(stdout); getchar(); unlink(path); unlink(target);
}
`;
  const path = compile(folder, 'maps', 'c', source, ['-O1']);
  for (const kind of ['fifo', 'link', 'other']) {
    const ran = await runUntilStopped([path, kind]);
    assert.match((await framesOf(symbolizer, ran, 'code'))[0]?.name ?? '', /^0x/, kind);
    await ran.stop();
  }
  const before = process.memoryUsage.rss();
  const ran = await runUntilStopped([path, 'huge']);
  const started = performance.now();
  assert.equal((await framesOf(symbolizer, ran, 'code'))[0]?.name, 'found');
  const grown = process.memoryUsage.rss() - before;
  t.diagnostic(
    `3 million lines: ${(performance.now() - started).toFixed(0)} ms, +${(grown / 1e6).toFixed(0)} MB`,
  );
  assert.ok(grown < 150 << 20);
  await ran.stop();
});

test('paths with odd bytes are resolved and reported', async () => {
  const source = `${prelude}
__attribute__((noinline)) void odd(void) { say("odd", odd); }
int main(int argc, char **argv) {
  if (argc > 1) { char path[256]; snprintf(path, sizeof path, "%s/a\\n b\\t\\x1b[31m\\xff \\"(deleted)", argv[1]); if (link(argv[0], path)) return 1; execl(path, path, (char *)0); return 2; }
  odd(); now(); puts("ready"); fflush(stdout); getchar();
}
`;
  const path = compile(folder, 'odd', 'c', source, ['-g']);
  chmodSync(path, 0o755);
  const ran = await runUntilStopped([path, folder]);
  const late = native.openMappings();
  const own = native.openSymbolizer(late);
  late.addProcess(ran.pid);
  for (const names of [symbolizer, own]) {
    const [frame] = await framesOf(names, ran, 'odd');
    assert.equal(frame?.name, 'odd');
    assert.ok(frame?.module?.endsWith('a\n b\t\u001b[31m\ufffd "(deleted)'), JSON.stringify(frame));
  }
  own.close();
  late.close();
  await ran.stop();
});

test('an empty file in place of a program gives no names and no harm', async () => {
  const path = join(folder, 'empty.so');
  writeFileSync(path, '');
  const ran = await runUntilStopped([mapper, path]);
  assert.ok(
    (await askAll(ran, 100)).every((name) => name.startsWith('empty.so+0x') || name.startsWith('0x')),
  );
  await ran.stop();
});
