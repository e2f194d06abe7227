#!/bin/busybox sh
# The first process of a test guest: mounts what a machine has, runs the tests (test/kernels/inside.ts), powers off.
# Its report goes to the second serial port; what is said here, to the first.
/bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/bin HOME=/root TERM=dumb NO_COLOR=1
export NODE_OPTIONS="--import /etc/sonde-stripped.mjs --disable-warning=ExperimentalWarning"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# /tmp is in memory as it is; a mount would hide a checkout that lies below it.
mkdir -p /dev/pts /dev/shm /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
# A pure cgroup2 machine, where each container has a group of its own; the tests' own processes are in one as well.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
ln -s /proc/self/fd /dev/fd
ifconfig lo 127.0.0.1 up
hostname guest
stty -F /dev/ttyS1 raw
cd "$(cat /etc/sonde-root)" || poweroff -f
node test/kernels/inside.ts /etc/sonde-tests.json >/dev/console 2>&1 </dev/null
poweroff -f
