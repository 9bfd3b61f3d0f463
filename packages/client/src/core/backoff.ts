/** How long to wait before an attempt. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly capMs: number;
}

/** What is known when the delay before an attempt is drawn. */
export interface Wait {
  /** Counted from 1: that is the first one after a connection that was stable. */
  readonly attempt: number;
  /** Over how long to spread it, as the last WELCOME told; 0 for those that do not follow a connection. */
  readonly spreadMs: number;
  /** Told by whoever refused us: not before. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * The delay before an attempt, in ms. The server's word wins, within 5 %; but one that always says "at once" must not
 * make a tight loop, so that a tenth of the backoff's step is the least. The first attempt after a loss is spread as
 * the server asked for, however long that is: it decides the peak that a restarted server meets.
 */
export function delayBefore(
  settings: BackoffSettings,
  { attempt, spreadMs, retryAfterMs }: Wait,
  fraction: number,
): number {
  if (retryAfterMs !== undefined) {
    const least = stepOf(settings, attempt) / 10;
    return Math.round(Math.max(least, retryAfterMs * (0.95 + 0.1 * fraction)));
  }
  return Math.max(Math.round(fraction * spreadMs), backoffDelay(settings, attempt, fraction));
}

/**
 * Exponential backoff with full jitter, `attempt` counted from 1. The whole step is random, at the cap too: with
 * jitter only below the cap, every client of a fallen server would end up on the same delay. A tenth of the first
 * step is the floor, so that no dice throw makes a tight loop.
 */
export function backoffDelay(settings: BackoffSettings, attempt: number, fraction: number): number {
  const step = stepOf(settings, attempt);
  // Who waits for ever tries no more by itself.
  if (step === Infinity) return step;
  const floor = Math.min(step, settings.baseMs / 10);
  return Math.round(floor + fraction * (step - floor));
}

function stepOf({ baseMs, capMs }: BackoffSettings, attempt: number): number {
  return Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}
