// Runs test files in a guest kernel: emulated (no KVM needed), two CPUs, everything in memory. test/kernels/root.ts makes what it boots,
// test/kernels/inside.ts runs there; test/kernels/run.ts makes the table of all kernels.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { GuestAnswer, GuestTask } from './inside.ts';
import { type KernelSeries, kernelImage } from './kernels.ts';
import { writeRoot } from './root.ts';

export interface GuestReport extends GuestAnswer {
  series: KernelSeries;
  seconds: number;
  /** It was started twice. */
  startedAgain?: true;
}

export interface GuestOptions {
  /** The whole guest, ms. */
  limit: number;
  /** Each line of the guest's console as it comes. */
  onLine?: (line: string) => void;
}

/** Emulated code is slow: workloads with known numbers are made smaller by this factor (test/support reads it). */
const scale = '0.05';

/** What an emulator with a thread for each CPU does to a kernel that rewrites its own code (fentry, jump labels). Seen on 6.12: an int3 at do_sys_openat2,
 *  where the byte had been written back already. Once, on 6.1, both CPUs stuck; that this has the same cause is not known. */
const emulatorFault = /soft lockup|Oops: int3|int3: 0000 \[#/;

class GuestFaulted extends Error {
  override name = 'GuestFaulted';
}

/** Boots a guest, runs the test files in it one after another, and gives what they said. A guest that its emulator fails is started again, once, and says
 *  so. Throws with the console's end if the guest gave no report. */
export async function runGuest(
  series: KernelSeries,
  files: string[],
  options: GuestOptions,
): Promise<GuestReport> {
  try {
    return await runOnce(series, files, options);
  } catch (error) {
    if (!(error instanceof GuestFaulted)) throw error;
    options.onLine?.(`${error.message}\n  ! the emulator failed the guest: started again`);
    return { ...(await runOnce(series, files, options)), startedAgain: true };
  }
}

async function runOnce(series: KernelSeries, files: string[], options: GuestOptions): Promise<GuestReport> {
  const start = performance.now();
  const image = await kernelImage(series);
  const folder = await mkdtemp(join(tmpdir(), 'sonde-guest-'));
  try {
    const task: GuestTask = {
      files,
      env: { SONDE_TEST_SCALE: scale, SONDE_GUEST: series },
      testLimit: 120_000,
      fileLimit: 300_000,
    };
    const archive = join(folder, 'root.cpio');
    await writeRoot(archive, task);
    const answerFile = join(folder, 'answer');
    const consoleEnd = await boot(image.vmlinuz, archive, answerFile, options);
    const text = await readFile(answerFile, 'utf8').catch(() => '');
    const answer = parseAnswer(text);
    if (answer === undefined) {
      if (emulatorFault.test(consoleEnd)) throw new GuestFaulted(consoleEnd);
      throw new Error(
        `the guest ${image.release} gave no report within ${options.limit / 1000} s. Its last words:\n${consoleEnd}`,
      );
    }
    return { ...answer, series, seconds: (performance.now() - start) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function parseAnswer(text: string): GuestAnswer | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
  try {
    return line === undefined ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Starts the emulator, waits for its end, and gives the end of the console's text. */
async function boot(
  vmlinuz: string,
  archive: string,
  answer: string,
  options: GuestOptions,
): Promise<string> {
  // lsm: BPF LSM is built into Debian's kernels, but not switched on. panic=-1 with -no-reboot ends the emulator when the guest dies.
  // A lockup ends the guest, with a trace of where each CPU was; after two minutes, for a CPU that waits for a busy machine's looks like one.
  const commandLine =
    'console=ttyS0 loglevel=5 panic=-1 softlockup_panic=1 softlockup_all_cpu_backtrace=1 watchdog_thresh=60 mitigations=off lsm=lockdown,yama,bpf cgroup_no_v1=all';
  const argv = [
    // Without protection keys: V8 guards its code with them, and fails its own checks now and then where they are emulated.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max,-pku', '-smp', '2', '-m', '1536'],
    ...['-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio', '-serial', `file:${answer}`],
    ...['-kernel', vmlinuz, '-initrd', archive, '-append', commandLine],
  ];
  const child = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.limit);
  let end = '';
  let line = '';
  const take = (text: string) => {
    end = (end + text).slice(-12_000);
    const lines = (line + text).split(/\r*\n/);
    line = lines.pop() ?? '';
    // The firmware clears a screen that is not there.
    for (const complete of lines) {
      const words = stripVTControlCharacters(complete);
      if (!/SeaBIOS|Booting from ROM/.test(words)) options.onLine?.(words);
    }
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on('error', (error) => {
    reject(
      new Error(`qemu-system-x86_64 did not start (${error.message}): install Debian's qemu-system-x86`),
    );
  });
  child.on('close', () => resolve());
  await promise.finally(() => clearTimeout(timer));
  return end;
}
