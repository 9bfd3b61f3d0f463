import type { Clock } from '@holdfast/protocol';

/** Node takes four times as long for `queueMicrotask`, which makes a resource for it. */
const settled = Promise.resolve();

/** The platform's own time; the same in browsers, workers and Node. */
export const systemClock: Clock = {
  // Monotonic, unlike Date.now(), which a correction of the system's time moves.
  now: () => performance.timeOrigin + performance.now(),
  setTimer(run, delayMs) {
    // Longer than 2^31 - 1 ms fires at once in every platform; whoever is woken early looks again.
    const timer = setTimeout(run, Math.min(delayMs, 2_147_483_647));
    return () => clearTimeout(timer);
  },
  defer: (run) => void settled.then(run),
};
