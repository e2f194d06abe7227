// Failures of a program's run in the agent's closed reasons. Neighbours: agent/errors.ts, agent/program-session.ts.

import { NativeError } from '../native/errors.ts';
import { AgentError } from './errors.ts';

/** What the kernel said, as a reason of an agent's. */
export function asProgramError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (!(error instanceof NativeError)) return new AgentError('Internal', said, options);
  if (error.code === 'NotSupported') return new AgentError('HookMissing', said, options);
  if (error.code === 'PermissionDenied')
    return new AgentError(
      'NotPermitted',
      `${said}. Run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE`,
      options,
    );
  if (error.code === 'VerifierRejected')
    return new AgentError('ProgramRejected', `the kernel's verifier refused the program: ${said}`, options);
  if (error.code === 'Exhausted') return new AgentError('LimitExceeded', said, options);
  return new AgentError(error.code === 'NotFound' ? 'ObjectMissing' : 'Internal', said, options);
}
