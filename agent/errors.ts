// Why a session could not start or did not finish: closed reasons, each with what a caller may do about it.
// Neighbours: native/errors.ts (what the kernel said), cli/errors.ts (exit codes), later the job's status.

/** Closed: documented in docs/errors.md, checked against it. */
export type AgentReason =
  | 'HookMissing' // this kernel has none of the hooks that the gadget can use
  | 'NotPermitted' // the process lacks a capability
  | 'ProgramRejected' // the verifier refused; a defect of ours or an unknown kernel
  | 'ObjectMissing' // not built, or not in this image
  | 'TargetMissing' // a cgroup or process that does not exist (any more)
  | 'ScopeEmpty' // nothing to trace
  | 'FilterInvalid' // a filter of packets that libpcap can't read
  | 'LimitExceeded' // the plan asks for more than an agent allows
  | 'SpoolFailed' // the spool folder can't be written (full, read-only)
  | 'Internal';

export class AgentError extends Error {
  override name = 'AgentError';
  readonly reason: AgentReason;

  /** message: what was tried, why it failed, what to do; one line. */
  constructor(reason: AgentReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}
