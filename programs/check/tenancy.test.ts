// Every way out of a namespace that we could think of: a namespaced job is refused each, and a cluster job may do it.
// Neighbours: tenancy.ts, design.md's "Tenancy".

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerChecked } from '../lower/lower.ts';
import { testKernel } from './test-kernel.ts';
import { checkText, errors } from './try.ts';

const pods = { tenancy: 'pods' } as const;

/** Each by the words of the refusal that it must meet. */
const escapes: [title: string, program: string, refusal: RegExp][] = [
  [
    'the current task and all tasks from it',
    'kprobe:vfs_read { print(curtask.group_leader.pid) }',
    /curtask/,
  ],
  ['the current task as a number', 'kprobe:vfs_read { @ = (uint64)curtask }', /curtask/],
  ['curtask() as a call', 'kprobe:vfs_read { @ = (uint64)curtask() }', /curtask/],
  ["a kernel symbol's address", 'kprobe:vfs_read { print(*kaddr("avenrun")) }', /kaddr/],
  ['a per-processor symbol', 'kprobe:vfs_read { print(*percpu_kaddr("runqueues")) }', /percpu_kaddr/],
  ['a pointer declared to be of the kernel', 'kprobe:vfs_read { print(str(kptr((int8 *)arg1))) }', /kptr/],
  [
    "a kernel function's argument followed",
    'fentry:vfs_read { print(args.file.f_mode) }',
    /the kernel's memory/,
  ],
  ['the same, by *', 'fentry:vfs_read { $f = *args.file; print($f.f_mode) }', /the kernel's memory/],
  ['the same, by an index', 'fentry:vfs_read { print(args.file[1].f_mode) }', /the kernel's memory/],
  [
    'the same, kept in a map before',
    'fentry:vfs_read { @f[tid] = args.file } fexit:vfs_read { print(@f[tid].f_mode) }',
    /the kernel's memory/,
  ],
  [
    'the same, out of a tuple',
    'fentry:vfs_read { $t = (1, args.file); print($t.1.f_mode) }',
    /the kernel's memory/,
  ],
  [
    'the same, cast to another struct',
    'fentry:vfs_read { print(((struct sock *)args.file).sk_family) }',
    /the kernel's memory/,
  ],
  ['the same, by pointer arithmetic', 'fentry:vfs_read { print(*(args.pos + 5)) }', /the kernel's memory/],
  ['a kernel address in str()', 'fentry:vfs_read { print(str((int8 *)args.file)) }', /the kernel's memory/],
  ['a kernel address in buf()', 'fentry:vfs_read { print(buf(args.file, 64)) }', /the kernel's memory/],
  ['a kernel address in macaddr()', 'fentry:vfs_read { print(macaddr(args.file)) }', /the kernel's memory/],
  ['a kernel address in join()', 'fentry:vfs_read { join(args.file) }', /the kernel's memory/],
  [
    'a kernel address in memcmp()',
    'fentry:vfs_read { @ = memcmp(args.file, "abc", 3) }',
    /the kernel's memory/,
  ],
  [
    'a kernel address in strlen()',
    'fentry:vfs_read { @ = strlen((int8 *)args.file) }',
    /the kernel's memory/,
  ],
  [
    'a kernel address in strcontains()',
    'fentry:vfs_read { @ = strcontains((int8 *)args.file, "a") }',
    /the kernel's memory/,
  ],
  ['path() of a file', 'fentry:vfs_read { print(path(args.file.f_path)) }', /path\(\)/],
  ["a socket's cookie", 'fentry:vfs_read { @ = socket_cookie(args.file) }', /socket_cookie/],
  ["another task's parent", 'fentry:vfs_read { @ = ppid(args.file) }', /the kernel's memory/],
  ["another task's name", 'fentry:vfs_read { print(pcomm(args.file)) }', /the kernel's memory/],
  ["another process's name by its id", 'kprobe:vfs_read { print(comm(1)) }', /comm\(\) of another process/],
  ['an iterator over tasks', 'iter:task { print(ctx.task.comm) }', /iter/],
  ["the node's files", 'begin { cat("/etc/shadow") }', /cat\(\)/],
  ["a process's memory map by its number", 'kprobe:vfs_read { cat("/proc/%d/maps", 1) }', /cat\(\)/],
  ['the path of any cgroup', 'kprobe:vfs_read { print(cgroup_path(1)) }', /cgroup_path/],
  ["another pod's cgroup", 'begin { print(cgroupid("/sys/fs/cgroup/unified/a")) }', /cgroupid/],
  [
    'what runs next on the processor',
    'tracepoint:sched:sched_switch { @[args.next_comm] = count() }',
    /args of tracepoint:sched:sched_switch/,
  ],
  ['packets of others, in an interrupt', 'tracepoint:net:netif_receive_skb { @ = sum(args.len) }', /args of/],
  ['the same by a wildcard', 'tracepoint:*:*skb* { @ = sum(args.len) }', /args of/],
  ['all args shown at once', 'tracepoint:sched:sched_switch { print(args) }', /args of/],
  ['a raw tracepoint in an interrupt', 'rawtracepoint:kfree_skb { @[args.reason] = count() }', /args of/],
  ['the same by number', 'rawtracepoint:kfree_skb { @[arg1] = count() }', /arg1 of/],
  [
    'numbers of functions that run in interrupts',
    'kprobe:tcp_connect { @ = arg0 }',
    /arg0 of kprobe:tcp_connect/,
  ],
  ['what such a function returns', 'kretprobe:tcp_connect { @ = retval }', /retval of/],
  ['the same by BTF', 'fexit:tcp_connect { @ = retval }', /retval of/],
  ['a wildcard that has one such function', 'kprobe:* { @ = arg0 }', /arg0 of kprobe:tcp_connect/],
  ['registers of the kernel', 'kprobe:vfs_read { @ = reg("bx") }', /reg\(\)/],
  ['registers of whatever was interrupted', 'profile:hz:99 { @ = reg("ip") }', /reg\(\)/],
  ['addresses of the kernel by its stack', 'kprobe:vfs_read { @[kstack(raw)] = count() }', /kstack\(raw\)/],
  [
    'the same by a setting',
    'config = { stack_mode = perf } kprobe:vfs_read { @[kstack] = count() }',
    /kstack\(perf\)/,
  ],
  ['who runs when a timer fires', 'interval:s:1 { @[comm] = count() }', /comm in interval/],
  ['the same by its number', 'interval:ms:1 { @[pid] = count() }', /pid in interval/],
  ['the same by its thread', 'interval:ms:1 { @[tid()] = count() }', /tid in interval/],
  ['its namespace of processes', 'interval:ms:1 { @[pid(init)] = count() }', /pid\(\) in interval/],
  ['its user', 'interval:ms:1 { @[uid, gid, username] = count() }', /uid in interval/],
  ['its cgroup', 'interval:ms:1 { @[cgroup] = count() }', /cgroup in interval/],
  ['its stack', 'interval:ms:1 { @[ustack] = count() }', /ustack.* in interval/],
  ['the kernel’s stack of it', 'interval:ms:1 { @[kstack] = count() }', /kstack.* in interval/],
  ["the agent's own process", 'begin { print(comm) }', /comm in begin/],
  ['a watchpoint on the kernel', 'watchpoint:0xffffffff82000000:8:w { @ = count() }', /watchpoint/],
  ['a file outside of the container', 'uprobe:/../../bin/app:handle { @ = count() }', /path with '\.\.'/],
  ["the agent's memory", 'begin { print(str(0x7ffc0000)) }', /addresses in begin/],
  ["the agent's memory, at the end", 'end { print(buf(uptr(0x7ffc0000), 64)) }', /addresses in end/],
  [
    "any process's memory, from a timer",
    'interval:ms:1 { print(*(uint64 *)0x7ffc0000) }',
    /addresses in interval/,
  ],
  [
    'the same by a struct',
    'interval:ms:1 { print(((struct sockaddr_in *)5).sin_port) }',
    /addresses in interval/,
  ],
  ['the same by join()', 'self:signal:SIGUSR1 { join(0x7ffc0000) }', /addresses in self/],
  [
    'a pointer declared by its type',
    'fentry:vfs_read { let $f: struct file * = args.file; print($f.f_mode) }',
    /the kernel's memory/,
  ],
  [
    'a pointer declared before',
    'fentry:vfs_read { let $f: struct file *; $f = args.file; print($f.f_mode) }',
    /the kernel's memory/,
  ],
  ['a command on the node', 'begin { system("id") }', /system\(\) is refused/],
  ['a signal to a process', 'kprobe:vfs_read { signal(9) }', /signal\(\) is refused/],
  ['another result of a syscall', 'kprobe:vfs_read { override(1) }', /override\(\) is refused/],
  ['a packet in a file', 'fentry:vfs_read { skboutput("/x", args.file, 1, 0) }', /skboutput\(\) is refused/],
  [
    'all hidden in a branch',
    'kprobe:vfs_read { if (pid > 5) { unroll(2) { $x = { curtask }; } } }',
    /curtask/,
  ],
  ['in a predicate', 'kprobe:vfs_read /((uint64)curtask) > 5/ { @ = count() }', /curtask/],
  ['in a key', 'kprobe:vfs_read { @[curtask] = count() }', /curtask/],
  ['in sizeof', 'kprobe:vfs_read { @ = sizeof(*curtask) }', /curtask/],
  ['behind a macro', 'macro m() { curtask } kprobe:vfs_read { @ = (uint64)m() }', /curtask/],
];

for (const [title, program, refusal] of escapes)
  test(`refused: ${title}`, () => {
    const said = errors(program, pods);
    assert.ok(
      said.some((each) => refusal.test(each)),
      `${program}\n${said.join('\n')}`,
    );
  });

test('without a kernel a namespaced job is refused what needs none to be seen', () => {
  for (const program of [
    'kprobe:f { print(curtask.pid) }',
    'iter:task { @ = count() }',
    'tracepoint:sched:sched_switch { @[args.next_comm] = count() }',
    'kprobe:tcp_connect { @ = arg0 }',
    'begin { cat("/etc/shadow") }',
    'interval:s:1 { @[comm] = count() }',
  ])
    assert.notDeepEqual(errors(program, pods, null), [], program);
});

test('a pointer of which nothing is known leads to the memory of the process in scope', () => {
  const { probes, diagnostics } = checkText(
    `kprobe:vfs_read { $a = (int8 *)arg1; $b = *(uint64 *)arg1; $c = str(arg1); }
     kprobe:vfs_read { let $d: struct file *; $d = (struct file *)arg0; print($d.f_mode); }
     profile:hz:99 { $a = (int8 *)5; }`,
    pods,
  );
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  for (const probe of probes) assert.equal(probe.context.space, 'user');
  for (const probe of probes)
    for (const type of probe.types.values()) if (type.kind === 'pointer') assert.equal(type.space, 'user');
});

test('what is lowered of it reads no memory of the kernel', () => {
  const source = `kprobe:vfs_read {
    let $d: struct file *; $d = (struct file *)arg0; print($d.f_mode); print(*arg0); print(*(uint64 *)arg0);
    $x = (struct file *)arg0; print(str($x.f_path.dentry.d_name.name)); @[*$x] = count(); print((1, *$x));
    print(macaddr(arg1)); join(arg1); print(buf(arg1, 10)); print(buf((int8 *)arg1, 10)); print(((int8 *)arg1)[3]);
    print(strlen((int8 *)arg1)); print(memcmp((int8 *)arg1, "ab", 2)); print(memcmp(arg1, arg2, 2)); print(ntop(*(uint32 *)arg0)); }`;
  const checked = checkText(source, pods);
  assert.deepEqual(
    checked.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  const result = lowerChecked(checked, testKernel(), { name: 'test', text: source });
  assert.ok('lowered' in result);
  const reads = result.lowered.module.functions
    .flatMap(({ blocks }) => blocks.flatMap(({ instructions }) => instructions))
    // bpf_probe_read, _read_str, _read_kernel, _read_kernel_str
    .filter((each) => each.op === 'helper' && [4, 45, 113, 115].includes(each.helper));
  assert.deepEqual(reads, []);
});

test('what tells nothing of others is allowed', () => {
  for (const program of [
    'tracepoint:syscalls:sys_enter_openat { printf("%s %s %d", comm, str(args.filename), pid); @[ustack, uid] = count() }',
    'tracepoint:syscalls:sys_exit_read /args.ret > 0/ { @[comm] = sum(args.ret) }',
    'tracepoint:syscalls:sys_enter_connect { @[args.uservaddr.sin_port] = count() }',
    'tracepoint:sched:sched_switch { @[kstack] = count() }',
    'tracepoint:sched:sched_process_exec { print(args.pid) }',
    'rawtracepoint:sys_enter { @[args.id] = count() }',
    'kprobe:vfs_read { @ = hist(arg2); print(str(arg1, 16)) }',
    'fentry:vfs_read { @ = hist(args.count); print(buf(args.buf, 16)); @p[args.file] = count() }',
    'fexit:vfs_read { @ = hist(retval) }',
    'kprobe:tcp_connect { @start[tid] = nsecs } kretprobe:tcp_connect { @ = hist(nsecs - @start[tid]); delete(@start, tid) }',
    'uprobe:/bin/app:handle { print(str(args.request.url)); @[reg("ip")] = count(); print(*uaddr("counter")) }',
    'usdt:/bin/app:start { print(str(arg0)) }',
    'profile:hz:99 { @[ustack, comm, cgroup] = count() }',
    'interval:s:1 { print(@); clear(@); time("%H:%M:%S"); printf("%d", nsecs / 1e9) } kprobe:vfs_read { @ = count() }',
    'begin { printf("hello %d\\n", ncpus) } end { print(elapsed) }',
    'software:faults:1 { @[comm] = count() }',
  ])
    assert.deepEqual(errors(program, pods, testKernel()), [], program);
});

test('a cluster job may follow, iterate and read', () => {
  for (const program of [
    'kprobe:vfs_read { print(curtask.group_leader.pid); print(*kaddr("avenrun")); cat("/proc/%d/maps", pid) }',
    'iter:task { print(ctx.task.comm) }',
    'tracepoint:sched:sched_switch { @[args.next_comm] = count() }',
    'interval:s:1 { @[comm, pid] = count() }',
    'kprobe:tcp_connect { @[arg0, reg("ip"), kstack(raw)] = count() }',
  ])
    assert.deepEqual(errors(program), [], program);
});
