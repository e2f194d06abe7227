// The checker's types, groups of places, and what it does without a kernel. Neighbours: check.ts, samples.test.ts (what is said), tenancy.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expression, Statement } from '../ast.ts';
import type { Checked, CheckedProbe } from './checked.ts';
import { testKernel } from './test-kernel.ts';
import { checkText, errors, said } from './try.ts';
import { typeText } from './type-text.ts';

function good(source: string, options = {}): Checked {
  const checked = checkText(source, options);
  assert.deepEqual(said(source, checked.diagnostics, 'error'), [], source);
  return checked;
}

/** The types of all variables of the first probe, by name. */
function variables({ probes }: Checked): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, type } of probes[0]?.variables.values() ?? []) found[name] = typeText(type);
  return found;
}

function maps({ maps: all }: Checked): Record<string, string> {
  return Object.fromEntries(
    Array.from(all.values(), ({ name, key, value }) => [
      name,
      `${key === null ? '' : `[${typeText(key)}] `}${typeText(value)}`,
    ]),
  );
}

test('integers are as small as their literals, and grow with what is assigned', () => {
  const checked = good(`begin {
    $a = 1; $b = -1; $c = 300; $d = 70000; $e = 1 << 32; $f = 1; $f = -1; $g = (uint32)5 + (uint8)3;
    $h = 1; $h = $h + 1; $i = 1; $i = $i + 1; $i = -1; $j = true; $k = (int16)1; $k = 5; $l = 0; $l++; $m = 5ms; }`);
  assert.deepEqual(variables(checked), {
    $a: 'uint8',
    $b: 'int8',
    $c: 'uint16',
    $d: 'uint32',
    $e: 'uint64',
    $f: 'int16',
    $g: 'uint64',
    $h: 'uint64',
    $i: 'int64',
    $j: 'bool',
    $k: 'int16',
    $l: 'uint64',
    $m: 'uint32',
  });
});

test('maps are unified over all probes, keys and values', () => {
  const checked = good(`
    kprobe:vfs_read { @a[1, "x"] = 1; @b = @c; @n++; @m -= 5; @l += arg0; @t[tid] = (1, "abc"); @s = "a"; }
    kprobe:vfs_open { @a[(300, "longer")] = -1; @c = "later"; @t[tid] = (1000, "a"); @s = str(arg0, 9); @d = sum((int32)arg0); @h[comm] = hist(arg0, 2); }`);
  assert.deepEqual(maps(checked), {
    '@a': '[(uint16,string[7])] int16',
    '@b': 'string[6]',
    '@c': 'string[6]',
    '@n': 'int64',
    '@m': 'int64',
    '@l': 'uint64',
    '@t': '[uint32] (uint16,string[4])',
    '@s': 'string[10]',
    '@d': 'sum_t',
    '@h': '[string[16]] hist_t',
  });
  assert.deepEqual(checked.maps.get('@d')?.value, { kind: 'sum', signed: true });
  assert.deepEqual(checked.maps.get('@h')?.value, { kind: 'hist', bits: 2 });
});

test('maps that are only aggregated into are known from those that are read', () => {
  const { maps: all } = good(`
    kprobe:vfs_read { @only[comm] = count(); @read[comm] = count(); @gone[comm] = count(); @kept = 1; }
    interval:s:1 { print(@only); clear(@only); zero(@only); if (@read["a"] > 5) { print(1) } delete(@gone, "a"); }`);
  const only = Array.from(all.values()).filter(({ onlyAggregated }) => onlyAggregated);
  assert.deepEqual(
    only.map(({ name }) => name),
    ['@only'],
  );
});

test('declared maps keep their kind and their room', () => {
  const { maps: all } = good('let @a = percpulruhash(77); begin { @a[1] = 1; @b = 1; }');
  assert.deepEqual([all.get('@a')?.declared, all.get('@a')?.entries], ['lruPercpuHash', 77]);
  assert.deepEqual([all.get('@b')?.declared, all.get('@b')?.entries], [null, 4096]);
});

test('places are one probe where their types are equal, and apart where they are not', () => {
  const names = (source: string) => good(source).probes.map(({ attach }) => attach.map(({ name }) => name));
  assert.deepEqual(names('tracepoint:syscalls:sys_exit_*,kprobe:vfs_* { @ = count(); }'), [
    ['tracepoint:syscalls:sys_exit_read', 'tracepoint:syscalls:sys_exit_openat'],
    ['kprobe:vfs_read', 'kprobe:vfs_open'],
  ]);
  assert.deepEqual(names('tracepoint:syscalls:sys_exit_* { @ = sum(args.ret); }'), [
    ['tracepoint:syscalls:sys_exit_read', 'tracepoint:syscalls:sys_exit_openat'],
  ]);
  assert.deepEqual(names('tracepoint:syscalls:sys_exit_* { @[probe] = count(); }'), [
    ['tracepoint:syscalls:sys_exit_read'],
    ['tracepoint:syscalls:sys_exit_openat'],
  ]);
  assert.deepEqual(names('usdt:/bin/app:* { @ = count(); }'), [
    ['usdt:/bin/app:app:start', 'usdt:/bin/app:app:stop'],
  ]);
  assert.deepEqual(names('uprobe:/bin/app:h* { @ = count(); }'), [['uprobe:/bin/app:h*']]);
  assert.deepEqual(names('uprobe:/bin/app:h* { @[func] = count(); }'), [
    ['uprobe:/bin/app:handle'],
    ['uprobe:/bin/app:helper'],
  ]);
  const [probe] = good('uprobe:/bin/app:h* { @ = count(); }').probes;
  assert.deepEqual(probe?.attach[0]?.attach, {
    kind: 'uprobe',
    path: '/bin/app',
    functions: ['handle', 'helper'],
    offset: 0,
    return: false,
  });
});

test('the same body has other types at other places', () => {
  const { probes } = good('fexit:vfs_read,fexit:vfs_open { $r = retval; @ = count(); }');
  const types = probes.map(({ variables: all }) => Array.from(all.values(), ({ type }) => typeText(type))[0]);
  assert.deepEqual(types, ['int64', 'int32']);
});

test('pointers know whose memory they lead to', () => {
  const space = (source: string): string => {
    const checked = good(source);
    const [variable] = checked.probes[0]?.variables.values() ?? [];
    return variable?.type.kind === 'pointer' || variable?.type.kind === 'struct' ? variable.type.space : '?';
  };
  assert.equal(space('tracepoint:syscalls:sys_enter_openat { $x = args.filename; }'), 'user');
  assert.equal(space('fentry:vfs_read { $x = args.file; }'), 'kernel');
  assert.equal(space('fentry:vfs_read { $x = args.buf; }'), 'user');
  assert.equal(space('fentry:vfs_read { $x = args.file.f_path.dentry; }'), 'kernel');
  assert.equal(space('kprobe:vfs_read { $x = (struct file *)arg0; }'), 'kernel');
  assert.equal(space('kprobe:vfs_read { $x = uptr((int8 *)arg1); }'), 'user');
  assert.equal(space('uprobe:/bin/app:handle { $x = (struct request *)arg0; }'), 'user');
  assert.equal(space('uprobe:/bin/app:handle { $x = *args.request; }'), 'user');
  assert.equal(
    space('tracepoint:syscalls:sys_enter_connect { $x = (struct sockaddr_in *)args.uservaddr; }'),
    'user',
  );
});

test('what is known while compiling is kept, and leaves branches out', () => {
  const { probes } = good(
    'begin { print(sizeof(struct file)); print(offsetof(struct file, f_path.dentry)); print(pton("1.2.3.4")); if (1 > 2) { @never = 1; } }',
  );
  const constants = [...(probes[0]?.constants.values() ?? [])];
  assert.ok(constants.includes(232n) && constants.includes(24n));
  assert.ok(constants.some((each) => each instanceof Uint8Array && each.join('.') === '1.2.3.4'));
  assert.equal(good('begin { if (1 > 2) { @never = 1; } }').maps.size, 0);
});

test('declared structs are laid out as C does', () => {
  const { layouts } = good(`
    struct inner { char a; short b; };
    struct outer { char c; struct inner i; long l; int x : 3; int y : 5; union { int u; char v[6]; }; char end; } __attribute__((packed));
    struct plain { char c; int x : 30; int y : 5; char *p; };
    begin { $o = (struct outer *)0; print($o.l); print($o.v); $p = (struct plain *)0; print($p.y) }`);
  const offsets = (name: string) =>
    layouts.get(name)?.members.map((member) => `${member.name} ${member.offsetBits}`);
  assert.deepEqual(offsets('struct inner'), ['a 0', 'b 16']);
  assert.deepEqual(offsets('struct outer')?.slice(0, 5), ['c 0', 'i 8', 'l 40', 'x 104', 'y 107']);
  assert.deepEqual(
    offsets('struct plain'),
    ['c 0', 'x 8', 'y 64', 'p 128'].map((each) => each.replace('x 8', 'x 32')),
  );
  assert.equal(layouts.get('struct plain')?.size, 24);
});

test('every expression of a body has a type, and every variable is known', () => {
  const checked = good(`
    tracepoint:syscalls:sys_enter_openat /pid > 1/ {
      let $x = 1; $y = str(args.filename); @a[comm, $x] = count(); @b[$y] = nsecs;
      for ($kv : @b) { if ($kv.1 > 5) { print($kv.0); } else { printf("%s %d", $kv.0, $x); } }
      for ($i : 0..5) { $z = $i * 2; while ($z > 3) { $z -= 1; break; } }
      print((1, $y)); print((n = $x, s = comm).s); @c[kstack(3), ustack(perf, 5)] = hist(args.mode, 2);
    }`);
  const [probe] = checked.probes;
  assert.ok(probe !== undefined);
  const missing: string[] = [];
  visit(probe, (node) => {
    const hasNone = node.kind === 'identifier' && node.name === 'perf';
    const isWhole = node.kind === 'map' && node.key === null;
    if (!probe.types.has(node as Expression) && !hasNone && !isWhole) missing.push(node.kind);
    if (node.kind === 'variable' && !probe.variables.has(node as Expression)) missing.push(node.name);
  });
  assert.deepEqual(missing, []);
  for (const type of probe.types.values()) assert.notEqual(type.kind, 'unknown');
});

/** Expressions of a body. Statements have kinds of their own. */
function visit({ predicate, body }: CheckedProbe, look: (node: Expression) => void): void {
  const statements = new Set<Statement['kind'] | string>([
    ...['expression', 'let', 'discard', 'assign', 'if', 'while', 'unroll', 'forMap', 'forRange'],
    ...['break', 'continue', 'return'],
  ]);
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('kind' in node && 'span' in node && !statements.has(String(node.kind)) && !('statements' in node))
      look(node as Expression);
    for (const child of Object.values(node)) walk(child);
  };
  walk(predicate);
  walk(body);
}

test('without a kernel only what needs none is said', () => {
  const open = (source: string) => errors(source, {}, null);
  assert.deepEqual(
    open(`tracepoint:a:b* /args.x > 5/ { @[args.foo.bar[3]] = sum(args.y); printf("%s %d", str(args.f), args.g); }
      fentry:f { $x = (struct task_struct *)args.sk; print($x.pid); print(retval + arg0) }
      uprobe:/x:y { print(args.a); uaddr("x"); if (args.b == SOME_ENUMERATOR) { } }
      kprobe:f { $t = curtask; print($t.mm.total_vm); print(sizeof(struct file)); @x = kaddr("foo"); }`),
    ['retval: retval is not to be had in fentry (it is in kretprobe, uretprobe or fexit)'],
  );
  assert.deepEqual(open('kprobe:f { histo(1); @x = 1; @x = "a"; printf("%d", "x") }').length, 3);
});

test('what this kernel has not is an error, a warning or nothing, as the program says', () => {
  const source = (setting: string) =>
    `config = { missing_probes = ${setting} } kprobe:nope { 1 } begin { 2 }`;
  assert.equal(errors(source('error')).length, 1);
  for (const [setting, warnings] of [
    ['warn', 1],
    ['ignore', 0],
  ] as const) {
    const checked = checkText(source(setting));
    assert.deepEqual(said(source(setting), checked.diagnostics, 'error'), []);
    const found = said(source(setting), checked.diagnostics, 'warning');
    assert.equal(found.filter((each) => each.includes('nope')).length, warnings);
    assert.equal(checked.probes.length, 1);
  }
  assert.deepEqual(
    errors('kprobe:vfs_read { @ = 1 }', {}, testKernel({ kprobe: 'CONFIG_KPROBES is not set' })),
    ["kprobe:vfs_read: this kernel can't attach kprobe:vfs_read: CONFIG_KPROBES is not set"],
  );
});

test('a place that is not there is one error, and its body tells of maps all the same', () => {
  const source =
    'kprobe:nope { @start[tid] = nsecs; @x = arg0 } kprobe:vfs_read /@start[tid]/ { print(@x + 1) } end { clear(@start) }';
  assert.deepEqual(errors(source), [
    'kprobe:nope: this kernel has no function nope that can be traced (it may be inlined)',
  ]);
});

test('mixed signs are warned of where a value may not fit', () => {
  const warnings = (source: string) => said(source, checkText(source).diagnostics, 'warning').length;
  assert.equal(warnings('kretprobe:vfs_read /-1 < retval/ { @ = 1 }'), 1);
  assert.equal(warnings('kretprobe:vfs_read /1 < retval/ { @ = 1 }'), 0);
  assert.equal(warnings('kprobe:vfs_read { @ = -1 - arg0 }'), 1);
  assert.equal(warnings('kprobe:vfs_read { @ = arg0 - 1 }'), 0);
  assert.equal(warnings('begin { $a = (uint32)1 == (int32)-1; }'), 0);
  assert.equal(warnings('begin { @a = sum(-1); $a = (uint64)1 == @a; }'), 1);
});

test('settings of the environment go before those of the program', () => {
  const source =
    'config = { BPFTRACE_MAX_STRLEN = 32; stack_mode = perf } kprobe:vfs_read { $s = str(arg0); }';
  assert.equal(variables(good(source)).$s, 'string[32]');
  const settings = new Map([['max_strlen', '16']]);
  assert.equal(variables(good(source, { settings })).$s, 'string[16]');
});
