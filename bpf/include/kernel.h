/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The kernel's structs as far as programs read them; CO-RE finds where the running kernel has each member.
 * Add a member here when you read one; a name that changed between kernels goes to kernel_compat.bpf.h. No
 * generated vmlinux.h: this says what we depend upon. */
#pragma once

#define __VMLINUX_H__ /* bpf_tracing.h shall use the kernel's names of registers */
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
typedef int pid_t;
#define true 1
#define false 0
#define NULL ((void *)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

/* Registers at a system call or an interrupt. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags,
        sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
    u64 regs[31];
    u64 sp;
    u64 pc;
    u64 pstate;
};
struct pt_regs {
    u64 regs[31];
    u64 sp;
    u64 pc;
    u64 pstate;
    u64 orig_x0;
    s32 syscallno;
};
#else
#error "build with -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64"
#endif

/* Control groups. */
struct kernfs_node {
    u64 id;
    const char *name;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
    struct cgroup_subsys_state *parent;
};

struct cgroup_root {
    int hierarchy_id; /* 0: cgroup2 */
};

struct cgroup {
    struct cgroup_subsys_state self;
    int level;
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct css_set {
    struct cgroup *dfl_cgrp; /* in cgroup2, whatever v1 hierarchies there are */
};

/* Processes. */
struct pid_namespace;

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

struct signal_struct {
    atomic_t live;
    unsigned int flags;
    int group_exit_code;
};

typedef struct {
    unsigned int val;
} kuid_t;

struct cred {
    kuid_t uid;
    kuid_t euid;
};

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

struct nsproxy {
    struct net *net_ns;
};

struct mm_struct {
    unsigned long arg_start;
    unsigned long arg_end;
    unsigned long env_start;
    unsigned long env_end;
};

struct thread_info {
    unsigned long flags;
    u32 status; /* x86 */
};

struct cfs_rq;

struct sched_entity {
    struct cfs_rq *cfs_rq; /* the queue it waits in */
    u64 sum_exec_runtime;  /* ns on a CPU, up to the last time it left one or was looked at */
};

struct task_struct {
    struct thread_info thread_info;
    void *stack;
    unsigned int flags;
    pid_t pid;
    pid_t tgid;
    int prio;
    struct sched_entity se;
    int exit_code;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    u64 start_time;
    u64 start_boottime;
    const struct cred *cred;
    const struct cred *real_cred;
    u64 self_exec_id; /* counts the execs of a process */
    char comm[16];
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct mm_struct *mm;
    struct files_struct *files;
    struct css_set *cgroups;
};

struct linux_binprm {
    const char *filename;
    const char *interp;
    int argc;
};

/* Sockets. */
struct socket;

struct sock_cgroup_data {
    struct cgroup *cgroup;
};

struct in6_addr {
    u8 bytes[16];
};

struct sock_common {
    u16 skc_num; /* the local port, host order */
    u32 skc_daddr;
    u32 skc_rcv_saddr;
    u16 skc_dport;
    u16 skc_family;
    volatile unsigned char skc_state;
    unsigned long skc_flags;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
    struct sock_common __sk_common;
    u16 sk_protocol;
    int sk_err;
    struct sock_cgroup_data sk_cgrp_data;
    struct socket *sk_socket;
};

/* Each begins with a struct sock. */
struct inet_sock {
    u16 inet_sport;
};

struct tcp_sock {
    u64 bytes_received;
    u64 bytes_sent;
    u64 bytes_retrans;
    u32 total_retrans;
    u32 srtt_us; /* smoothed round trip time, in eighths of a microsecond */
    u32 snd_cwnd;
    u32 snd_wnd;
    u32 rcv_wnd;
};

/* Open files. */
struct qstr {
    const unsigned char *name;
};

struct inode {
    u16 i_mode;
    unsigned long i_ino;
};

struct dentry {
    struct qstr d_name;
    struct dentry *d_parent;
    struct inode *d_inode;
};

struct path {
    struct dentry *dentry;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
    void *private_data; /* of a socket's file: struct socket */
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct socket {
    struct sock *sk;
};

struct filename {
    const char *name;
};

struct open_how {
    u64 flags;
};

/* io_uring. */
struct io_ring_ctx;

struct io_kiocb {
    u8 opcode;
};

struct io_open {
    struct filename *filename;
    struct open_how how;
};

struct io_uring_cqe {
    s32 res;
};

/* Block I/O. */
struct blkcg {
    struct cgroup_subsys_state css;
};

struct blkcg_gq {
    struct blkcg *blkcg;
};

struct bio {
    struct blkcg_gq *bi_blkg;
};

#pragma clang attribute pop

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
