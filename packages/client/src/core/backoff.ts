/** How long to wait before an attempt. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly capMs: number;
}

/** What is known when the delay before an attempt is drawn. */
export interface Wait {
  /** Counted from 1: that is the first one after a connection that was stable. */
  readonly attempt: number;
  /** Told by the last WELCOME: over how long the clients of that server are to spread; 0: nothing was told. */
  readonly spreadMs: number;
  /** Told by whoever refused us: not before. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * The delay before an attempt, in ms. The server's word wins, within 5 %. The first attempt after a loss is spread as
 * the server asked for, however long that is: it decides the peak that a restarted server meets.
 */
export function delayBefore(
  settings: BackoffSettings,
  { attempt, spreadMs, retryAfterMs }: Wait,
  fraction: number,
): number {
  if (retryAfterMs !== undefined) return Math.round(retryAfterMs * (0.95 + 0.1 * fraction));
  const first = attempt === 1 ? Math.round(fraction * spreadMs) : 0;
  return Math.max(first, backoffDelay(settings, attempt, fraction));
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
