import type { Clock } from '@holdfast/protocol';
import { isPromiseLike } from '@holdfast/protocol';
import type { Identity } from '../ports/ports.js';
import type { Answer } from '../ports/store.js';
import { ANOTHER_USER, AUTH_TIMEOUT_MS, expiresIn, GRACE_MS, type Refusal, refusalOf } from './token.js';

/** Nobody renews so often who means it; each time the application is asked. */
const MAX_RENEWALS = 30;
export const RENEWALS_MS = 10_000;

export interface LiveTokenSurroundings {
  readonly clock: Clock;
  readonly userId: string;
  /** Asks the application whom a token names; undefined: it does not care. */
  readonly identify: ((token: string) => Answer<Identity>) | undefined;
  /** The connection goes on with this token; undefined: it never expires, or nobody asks whom it names. */
  renewed(expiresInMs: number | undefined, identity: Identity | undefined): void;
  refused(refusal: Refusal): void;
  /** Far too many tokens in too little time. */
  flooded(): void;
  /** `auth` has failed, or has not answered. */
  failed(error: unknown): void;
}

/** The token of a connection that stands: how long it counts, and what becomes of the next ones. */
export class LiveToken {
  readonly #around: LiveTokenSurroundings;
  #expiresAt: number;
  /** What is checked when the check under way is over: only the newest counts. */
  #next: string | undefined;
  #checking: { cancelDeadline(): void } | undefined;
  #stage: 'live' | 'stopped' = 'live';
  #since = -Infinity;
  #count = 0;

  constructor(expiresAt: number, around: LiveTokenSurroundings) {
    this.#expiresAt = expiresAt;
    this.#around = around;
  }

  /** When the connection has to end, unless a fresh token comes before. */
  get endsAt(): number {
    return this.#expiresAt + GRACE_MS;
  }

  renew(token: string): void {
    if (this.#stage === 'stopped') return;
    const now = this.#around.clock.now();
    if (now >= this.#since + RENEWALS_MS) {
      this.#since = now;
      this.#count = 0;
    }
    if (++this.#count > MAX_RENEWALS) return this.#around.flooded();
    this.#next = token;
    if (!this.#checking) this.#check();
  }

  /** Whatever `auth` still answers changes nothing. */
  stop(): void {
    this.#stage = 'stopped';
    this.#next = undefined;
    this.#checking?.cancelDeadline();
    this.#checking = undefined;
  }

  #check(): void {
    const { clock, identify, failed } = this.#around;
    const token = this.#next;
    if (token === undefined) return;
    this.#next = undefined;
    if (!identify) return this.#around.renewed(undefined, undefined);
    const late = new Error(`auth has not answered within ${AUTH_TIMEOUT_MS} ms`);
    const check = { cancelDeadline: clock.setTimer(() => over(() => failed(late)), AUTH_TIMEOUT_MS) };
    this.#checking = check;
    const over = (so: () => void): void => {
      if (this.#checking !== check) return;
      check.cancelDeadline();
      this.#checking = undefined;
      so();
      this.#check();
    };
    const denied = (error: unknown): void => over(() => this.#denied(error));
    try {
      const identity = identify(token);
      if (!isPromiseLike(identity)) over(() => this.#accept(identity));
      else Promise.resolve(identity).then((known) => over(() => this.#accept(known)), denied);
    } catch (error) {
      denied(error);
    }
  }

  #accept(identity: Identity): void {
    const { user, expiresAt } = identity;
    if (user.id !== this.#around.userId) return this.#around.refused(ANOTHER_USER);
    this.#expiresAt = expiresAt;
    this.#around.renewed(expiresIn(expiresAt, this.#around.clock.now()), identity);
  }

  /** Where `auth` itself has failed, the token before goes on counting. */
  #denied(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal) this.#around.refused(refusal);
    else this.#around.failed(error);
  }
}
