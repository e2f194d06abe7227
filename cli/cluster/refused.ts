// What the API server said when it did not do what was asked, as an error that says what to do. Pure. Neighbour: cli/cluster/api.ts.

import { escapeTerminal } from '../../results/escape.ts';
import { CliError, type ErrorCode } from '../errors.ts';

/** An answer other than 2xx. */
export class ApiRefused extends CliError {
  override name = 'ApiRefused';
  readonly status: number;

  constructor(code: ErrorCode, status: number, message: string, advice?: string) {
    super(code, message, advice === undefined ? {} : { advice });
    this.status = status;
  }
}

interface Status {
  reason: string;
  message: string;
  kind: string;
  causes: { field: string; message: string }[];
}

/** `tried`: "create TraceJob cpu-profile-x7k2p in namespace shop". */
export function refusal(tried: string, status: number, body: string): ApiRefused {
  const said = readStatus(body);
  const text = said?.message ?? body.trim();
  const shown = escapeTerminal(text === '' ? `HTTP ${status}` : text, 1000);
  const refused = (code: ErrorCode, message: string, advice?: string) =>
    new ApiRefused(code, status, `can't ${tried}: ${message}`, advice);
  if (status === 401) return refused('Unauthorized', 'the API server does not accept the credentials');
  if (status === 403) return forbidden(shown, refused);
  if (status === 404) {
    // An unknown resource is answered in plain text; a known one whose object is missing, with a Status about it.
    if (said === undefined || said.kind === '')
      return refused('SondeMissing', 'the cluster knows no such kind');
    if (said.kind === 'namespaces') return refused('NamespaceMissing', shown);
    return refused('JobNotFound', shown);
  }
  if (status === 409 && said?.reason === 'AlreadyExists') return refused('JobExists', shown);
  const unknown = /unknown field "(spec\.[^"]{1,200})"/.exec(text)?.[1];
  if (status === 400 && unknown !== undefined)
    return refused('SondeOlder', `the cluster does not know ${escapeTerminal(unknown)}`);
  if (status === 400 || status === 422) {
    const fields = said?.causes.map(({ field, message }) =>
      escapeTerminal(`${field === '' ? '' : `${field}: `}${message}`, 600),
    );
    return refused('JobRefused', fields?.length ? fields.join('\n  ') : shown);
  }
  return refused('ApiFailed', `HTTP ${status}: ${shown}`);
}

/** RBAC's refusal names verb, resource and place; anything else under this number is a policy's. */
function forbidden(
  shown: string,
  refused: (code: ErrorCode, message: string, advice?: string) => ApiRefused,
): ApiRefused {
  const right =
    /User "([^"]*)" cannot ([a-z]+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(
      shown,
    );
  if (right === null) return refused('JobRefused', shown);
  const [, user, verb = '', resource = '', group = '', namespace] = right;
  const where = namespace === undefined ? 'in the whole cluster' : `in namespace ${namespace}`;
  const what = `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
  const role = ['get', 'list', 'watch'].includes(verb) && resource.endsWith('jobs') ? 'view' : 'edit';
  const advice =
    resource === 'services/proxy'
      ? 'Ask who installed Sonde for the right to get services/proxy of https:sonde-artifacts:8443 in its namespace, or for a way to the store.'
      : `Ask for the right to ${what} ${where}; ${namespace === undefined ? 'a ClusterTraceJob sees all namespaces, so a cluster administrator gives it' : `the ClusterRole ${role} holds it`}.`;
  return refused('Forbidden', `${user} may not ${what} ${where}`, advice);
}

function readStatus(body: string): Status | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { kind, reason, message, details } = parsed as Record<string, unknown>;
  if (kind !== 'Status') return undefined;
  const about = (typeof details === 'object' && details !== null ? details : {}) as Record<string, unknown>;
  const causes = Array.isArray(about.causes) ? (about.causes as unknown[]).slice(0, 20) : [];
  return {
    reason: text(reason),
    message: text(message),
    kind: text(about.kind),
    causes: causes.map((cause) => {
      const { field, message: why } = (cause ?? {}) as Record<string, unknown>;
      return { field: text(field), message: text(why) };
    }),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 8192) : '';
}
