// Skips that are right: what a machine or a guest kernel cannot do, with the reason. A skip that is not here fails the test run.

import type { KernelSeries } from './kernels/kernels.ts';

export interface ExpectedSkip {
  /** Where: on this machine, or in a guest of this series ('guest': in any). */
  where: 'host' | 'guest' | KernelSeries;
  file: RegExp;
  test: RegExp;
  why: string;
}

export const expectedSkips: ExpectedSkip[] = [
  {
    where: 'guest',
    file: /^native\/object\.kernel\.test\.ts$/,
    test: /USDT probe of one process/,
    why: 'a guest has no Python, whose probes that test counts; it runs on the host',
  },
  {
    where: '5.10',
    file: /^programs\/emit\/object\.kernel\.test\.ts$/,
    test: /callbacks/,
    why: 'bpf_for_each_map_elem came with Linux 5.13',
  },
  {
    where: 'guest',
    file: /^bpf\/gadgets\/packet-capture\/gadget\.test\.ts$/,
    test: /./,
    why: 'a guest has neither libpcap nor tcpdump; it runs on the host',
  },
  {
    where: 'guest',
    file: /^bpf\/gadgets\/block-io[a-z-]*\/gadget\.test\.ts$/,
    test: /./,
    why: 'a guest has no disk, only memory; it runs on the host',
  },
  {
    where: 'host',
    file: /^test\/programs\/kernel-functions\.kernel\.test\.ts$/,
    test: /./,
    why: 'a kernel without kprobes and fentry; it runs in the guests',
  },
  ...(process.env.SONDE_TEST_KUBECONFIG === undefined
    ? []
    : [
        {
          where: 'host' as const,
          file: /^test\/cluster\/.*\.cluster\.test\.ts$/,
          test: /./,
          why: 'it ends programs or unplugs nodes, which is not done to a cluster of somebody else',
        },
      ]),
];

/** Why this skip was to be expected; undefined if nobody expected it. */
export function reasonToExpect(
  where: 'host' | KernelSeries,
  file: string,
  test: string,
  list: readonly ExpectedSkip[] = expectedSkips,
): string | undefined {
  const places = where === 'host' ? ['host'] : ['guest', where];
  return list.find((skip) => places.includes(skip.where) && skip.file.test(file) && skip.test.test(test))
    ?.why;
}
