// The operator's one clock. It runs evenly, whatever is done to the machine's: a deadline that is under way does not jump. Neighbours:
// operator/reconcile.ts, operator/follow.ts; operator/simulation.test.ts plays another.

export interface Clock {
  /** ms since the Unix epoch. */
  now(): number;
  /** Calls once after so many ms; what it gives calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** Where the machine's clock stood when the operator started, and from there on evenly. */
export function evenClock(): Clock {
  const began = Date.now() - performance.now();
  return {
    now: () => began + performance.now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves after so many ms, or at once at the signal. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    callOff();
    signal.removeEventListener('abort', done);
    resolve();
  };
  const callOff = clock.after(ms, done);
  signal.addEventListener('abort', done);
  return promise;
}

/** The promise, or what `late` throws where it takes longer. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  const { promise: limited, resolve, reject } = Promise.withResolvers<T>();
  const callOff = clock.after(ms, () => reject(late()));
  promise.then(
    (value) => {
      callOff();
      resolve(value);
    },
    (error: unknown) => {
      callOff();
      reject(error);
    },
  );
  return limited;
}
