/** How long to wait before an attempt. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter, `attempt` counted from 1. The whole step is random, at the cap too: with
 * jitter only below the cap, every client of a fallen server would end up on the same delay. A tenth of the first
 * step is the floor, so that no dice throw makes a tight loop.
 */
export function backoffDelay({ baseMs, capMs }: BackoffSettings, attempt: number, fraction: number): number {
  const step = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  const floor = Math.min(step, baseMs / 10);
  return Math.round(floor + fraction * (step - floor));
}
