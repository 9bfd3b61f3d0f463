import { delayBefore } from '@holdfast/client/ports';

/** What a client knows when it draws its delay. */
interface Told {
  /** By the server that is gone: over how long its clients are to spread, ms. */
  readonly spreadMs: number;
  /** By the server that has just refused: when to come back, ms. */
  readonly retryAfterMs: number | undefined;
}

/** How the clients of a herd come back. */
export interface Strategy {
  readonly name: string;
  /** Before the attempt, counted from 1; ms. `Infinity`: gives up. */
  delay(attempt: number, fraction: number, told: Told): number;
  /** Says who it is each time, so that the server knows whom it gave a slot. */
  readonly isKnown?: boolean;
  /** Nobody is cut: the server asks its clients to move, over so much of the ideal time, and stays until they have. */
  readonly drainOver?: number;
}

const PHOENIX_MS = [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000];
const SIGNALR_MS = [0, 2_000, 10_000, 30_000];

/** The defaults of @holdfast/client. */
const OURS = { baseMs: 500, capMs: 30_000 };
const ours: Strategy['delay'] = (attempt, fraction, told) =>
  delayBefore(OURS, { attempt, ...told }, fraction);

/**
 * The others' formulas and defaults are those of their sources: Phoenix (`reconnectAfterMs`), socket.io-client 4.8
 * (`Backoff.duration`), @microsoft/signalr 9 (`DefaultReconnectPolicy`), centrifuge-js (`backoff`).
 */
export const STRATEGIES: readonly Strategy[] = [
  { name: 'fixed 1 s', delay: () => 1_000 },
  { name: 'exponential, no jitter', delay: (attempt) => Math.min(30_000, 500 * 2 ** attempt) },
  { name: 'Phoenix', delay: (attempt) => PHOENIX_MS[attempt - 1] ?? 5_000 },
  {
    // Jitter of a half, drawn before the cap.
    name: 'Socket.IO',
    delay(attempt, fraction) {
      const step = 1_000 * 2 ** (attempt - 1);
      const sign = Math.floor(fraction * 10) % 2 === 0 ? -1 : 1;
      return Math.min(5_000, step + sign * 0.5 * fraction * step);
    },
  },
  { name: 'SignalR', delay: (attempt) => SIGNALR_MS[attempt - 1] ?? Number.POSITIVE_INFINITY },
  {
    name: 'centrifuge-js',
    delay: (attempt, fraction) =>
      Math.min(20_000, 500 + fraction * Math.min(20_000, 500 * 2 ** Math.min(attempt - 1, 31))),
  },
  {
    name: 'full jitter, cap 30 s',
    delay: (attempt, fraction) => fraction * Math.min(30_000, 500 * 2 ** (attempt - 1)),
  },
  { name: 'first attempt spread, server slots', delay: ours, isKnown: true },
  { name: 'the same, the server not knowing whom it gave them', delay: ours },
  { name: 'drain with spread', delay: ours, isKnown: true, drainOver: 1.1 },
];

/** By name, or by the beginning of one. */
export function strategy(name: string): Strategy {
  const found = STRATEGIES.find((one) => one.name.toLowerCase().startsWith(name.toLowerCase()));
  if (found) return found;
  const names = STRATEGIES.map((one) => `'${one.name}'`).join(', ');
  throw new TypeError(`there is no strategy '${name}'; there are: ${names}`);
}
