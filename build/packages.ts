// Debian packages that a part of the project needs, installed only where missing. Each part names its own list.

import { command } from './step.ts';

/** For `npm run build`: compilers and what libbpf-sys builds libelf with. */
export const buildPackages = [
  ...['clang-19', 'llvm-19', 'g++', 'make', 'pkg-config'],
  ...['autoconf', 'automake', 'libtool', 'gettext', 'autopoint', 'flex', 'bison', 'gawk'],
  // The addon opens the library itself when packets are captured; the headers say what is in it.
  'libpcap-dev',
];

/** For `npm test` besides: the peers that we compare with, browsers and readers of our files. */
export const testPackages = [
  ...['clang-format-19', 'bpftrace', 'libbpf-tools', 'bpftool', 'tcpdump', 'tshark'],
  ...['qemu-system-x86', 'busybox-static', 'chromium', 'python3'],
];

/** For `npm run images`. */
export const imagePackages = ['buildah', 'mmdebstrap'];

/** For the test cluster (test/cluster/up.ts) besides. */
export const clusterPackages = [
  ...imagePackages,
  ...['etcd-server', 'runc', 'containernetworking-plugins', 'iptables', 'nftables', 'conntrack'],
  ...['iproute2', 'busybox-static'],
];

/** Installs those of the packages that dpkg does not have; gives what it did. Needs root and Debian. */
export async function installPackages(packages: readonly string[]): Promise<string> {
  const missing = [];
  for (const name of packages) {
    const status = await command(['dpkg-query', '-W', `-f=\${Status}`, name]).catch(() => '');
    if (!status.includes('install ok installed')) missing.push(name);
  }
  if (missing.length === 0) return 'all there';
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await command(['apt-get', 'update', '-q'], { env });
  await command(['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...missing], { env });
  return `installed ${missing.join(' ')}`;
}
