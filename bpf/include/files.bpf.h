/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* From a file descriptor of the task that runs to its file, the file's name, its socket. */
#pragma once

#include "kernel_compat.bpf.h"

enum { S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFREG = 0100000 };

static __always_inline struct file *file_of(u32 fd) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    struct file *file = NULL;
    if (fd >= BPF_CORE_READ(table, max_fds)) return NULL;
    bpf_probe_read_kernel(&file, sizeof(file), &BPF_CORE_READ(table, fd)[fd]);
    return file;
}

/** The last part of its path. size: a constant. Gives its length with the NUL. */
static __always_inline long file_name(char *to, const u32 size, struct file *file) {
    if (!file) return 0;
    return bpf_probe_read_kernel_str(to, size, BPF_CORE_READ(file, f_path.dentry, d_name.name));
}

static __always_inline struct sock *socket_of(struct file *file) {
    if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return NULL;
    struct socket *socket = BPF_CORE_READ(file, private_data);
    return BPF_CORE_READ(socket, sk);
}
