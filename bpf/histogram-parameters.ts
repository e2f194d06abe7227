// The parameters of gadgets whose rows are histograms of a container or a process (bpf/include/histogram.bpf.h).

import { z } from 'zod';

/** Room for histograms; half a KiB each. */
export const histogramRows = z
  .int()
  .min(64)
  .max(65_536)
  .default(4096)
  .describe(
    'Room for histograms in the kernel, half a KiB each, one per CPU that a row was seen on; what comes after is lost, and counted as such',
  );

export const histogramParameters = {
  byProcess: z.boolean().default(false).describe('A histogram for each process, not only for each container'),
  maxRows: histogramRows,
};
