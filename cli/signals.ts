// Ctrl-C and SIGTERM of `sonde run`: the first ends the job and keeps the result, the second quits at once. Neighbour: cli/run.ts.

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Signals {
  /** Called at the first signal; at once where it has come already. */
  onFirst(action: () => void): void;
  /** Called before quitting at the second. The kernel detaches what the process held. */
  onSecond(action: () => void): void;
  /** Signals mean again what they mean to any process. */
  release(): void;
}

/** Takes the signals over. */
export function catchSignals(): Signals {
  let count = 0;
  let first: () => void = () => undefined;
  let second: () => void = () => undefined;
  const caught = (): void => {
    count++;
    if (count === 1) first();
    if (count < 2) return;
    second();
    process.exit(1);
  };
  for (const name of names) process.on(name, caught);
  return {
    onFirst(action) {
      first = action;
      if (count > 0) action();
    },
    onSecond(action) {
      second = action;
    },
    release() {
      for (const name of names) process.off(name, caught);
    },
  };
}
