// An agent as a process of its own, with a spool, certificates and an operator's connections to it. For tests of what outlives a process:
// test/agent/*.kernel.test.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AgentApi, Report, RunOrder } from '../../agent/api.ts';
import type { Certificates } from '../../agent/certificates.ts';
import { connectAgent, operatorCredentials } from '../../agent/client.ts';
import { type Authority, makeAuthority } from './certificates.ts';

const root = join(import.meta.dirname, '../..');

export interface TestNode {
  spool: string;
  tls: string;
  authority: Authority;
  operator: Certificates;
  /** Starts the agent on this node's spool; resolves when it serves. */
  start(...flags: string[]): Promise<TestAgent>;
  /** The same by another command than this Node and agent/main.ts. */
  startBy(command: string[], ...flags: string[]): Promise<TestAgent>;
  /** Ends what still runs and removes everything. */
  remove(): Promise<void>;
}

export interface TestAgent {
  pid: number;
  port: number;
  healthPort: number;
  /** A connection of its own. */
  connect(certificates?: Certificates): AgentApi;
  /** Resolves when it is gone; gives its exit code. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  log(): string;
}

export async function makeTestNode(): Promise<TestNode> {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-agent-'));
  const [spool, tls] = [join(folder, 'spool'), join(folder, 'tls')];
  mkdirSync(tls);
  const authority = await makeAuthority();
  const operator = await authority.operator();
  writeCertificates(tls, await authority.agent());
  const running = new Set<TestAgent>();
  const startBy: TestNode['startBy'] = async (command, ...flags) => {
    const agent = await startAgent(command, spool, tls, operator, flags);
    running.add(agent);
    return agent;
  };
  return {
    spool,
    tls,
    authority,
    operator,
    start: (...flags) => startBy([process.execPath, join(root, 'agent/main.ts')], ...flags),
    startBy,
    async remove() {
      for (const agent of running) await agent.end('SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}

export function writeCertificates(folder: string, { ca, certificate, key }: Certificates): void {
  writeFileSync(join(folder, 'ca.crt'), ca);
  writeFileSync(join(folder, 'tls.crt'), certificate);
  writeFileSync(join(folder, 'tls.key'), key);
}

async function startAgent(
  command: string[],
  spool: string,
  tls: string,
  operator: Certificates,
  flags: string[],
): Promise<TestAgent> {
  const own = ['--node', 'node-1', '--spool', spool, '--tls', tls, '--port', '0', '--health-port', '0'];
  const [file = '', ...args] = command;
  const child: ChildProcess = spawn(file, [...args, ...own, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { promise: exited, resolve: nowExited } = Promise.withResolvers<number | null>();
  child.on('close', nowExited);
  const { promise: serves, resolve, reject } = Promise.withResolvers<{ port: number; healthPort: number }>();
  let said = '';
  let healthPort = 0;
  if (child.stdout === null) throw new Error('no stdout');
  createInterface({ input: child.stdout }).on('line', (line) => {
    said += `${line}\n`;
    const entry: { port?: number; healthPort?: number } = JSON.parse(line);
    healthPort = entry.healthPort ?? healthPort;
    if (entry.port !== undefined) resolve({ port: entry.port, healthPort });
  });
  void exited.then(() => reject(new Error(`the agent ended before it served:\n${said}`)));
  const ports = await serves;
  return {
    pid: child.pid ?? 0,
    ...ports,
    connect: (certificates = operator) =>
      connectAgent({ address: `127.0.0.1:${ports.port}`, credentials: operatorCredentials(certificates) }),
    async end(signal) {
      child.kill(signal);
      return await exited;
    },
    log: () => said,
  };
}

/** Reads a job's reports until one has this phase. */
export async function until(
  agent: AgentApi,
  order: RunOrder,
  phase: Report['phase'],
  signal = new AbortController().signal,
): Promise<Report> {
  let last: Report | undefined;
  for await (const report of agent.run(order, signal)) {
    last = report;
    if (report.phase === phase) return report;
    if (report.phase === 'Failed') break;
  }
  throw new Error(`the job never was ${phase}; last: ${last?.phase} ${last?.reason} ${last?.message}`);
}
