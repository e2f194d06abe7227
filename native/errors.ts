// The one error class that native code and everything above it throws and catches by code.

import type { NativeErrorCode, NativeFailure } from './api.ts';

export class NativeError extends Error implements NativeFailure {
  override name = 'NativeError';
  readonly code: NativeErrorCode;
  declare readonly errno?: string;
  declare readonly log?: string;

  constructor(failure: NativeFailure) {
    super(failure.message);
    this.code = failure.code;
    if (failure.errno !== undefined) this.errno = failure.errno;
    if (failure.log !== undefined) this.log = failure.log;
  }
}

/** True where the kernel or machine can't do what was asked: alternatives are tried after it, tests skip on it. */
export function isNotSupported(error: unknown): error is NativeError {
  return error instanceof NativeError && error.code === 'NotSupported';
}
