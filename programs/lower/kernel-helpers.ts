// The kernel's helper functions that compiled programs call, by their numbers in enum bpf_func_id (uapi/linux/bpf.h), with the version that
// brought those which are newer than 5.8. Neighbour: programs/ir.ts `helper`.

export const helper = {
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  ktime: 5,
  random: 7,
  processor: 8,
  pidTgid: 14,
  uidGid: 15,
  comm: 16,
  currentTask: 35,
  numaNode: 42,
  cgroupId: 80,
  readUser: 112,
  readKernel: 113,
  readUserText: 114,
  readKernelText: 115,
  jiffies: 118,
  bootTime: 125,
  path: 147 /* 5.10 */,
  perCpuAddress: 153 /* 5.10 */,
  forEachMapElement: 164 /* 5.13 */,
  loop: 181 /* 5.17 */,
  taiTime: 208 /* 6.1 */,
  socketCookie: 46,
} as const;
