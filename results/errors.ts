// What can go wrong with result files: one typed error for readers and writers. Neighbours: results/run.ts, results/publish.ts, cli/ (exit codes).

/** Closed. `Malformed`: a file is not what it should be; `OutOfOrder`: a run's rows are not sorted; `Mismatch`: results of different
 *  traces can't be merged; `FolderExists`: the output folder holds something else; `DiskFull`, `WriteFailed`: the disk said no. */
export type ResultErrorCode =
  | 'Malformed'
  | 'OutOfOrder'
  | 'Mismatch'
  | 'FolderExists'
  | 'DiskFull'
  | 'WriteFailed';

export class ResultError extends Error {
  override name = 'ResultError';
  code: ResultErrorCode;
  /** The file and the line (from 1) that was being read, where there is one. */
  path: string | undefined;
  line: number | undefined;

  constructor(
    code: ResultErrorCode,
    message: string,
    where: { path?: string; line?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: where.cause });
    this.code = code;
    this.path = where.path;
    this.line = where.line;
  }
}
