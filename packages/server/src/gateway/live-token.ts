import { type Clock, CloseCode, type Item, isPromiseLike, Type } from '@holdfast/protocol';
import type { Observed } from '../observe/observer.js';
import type { Identity } from '../ports/ports.js';
import type { Answer } from '../ports/store.js';
import type { User } from '../types.js';
import { ANOTHER_USER, AUTH_TIMEOUT_MS, expiresIn, GRACE_MS, type Refusal, refusalOf } from './token.js';

/** So many in so long a time: each asks the application, and nobody who means it renews more often. */
const MAX_RENEWALS = 30;
const RENEWALS_MS = 10_000;

/** The same for all connections. */
export interface LiveTokenSurroundings {
  readonly clock: Clock;
  readonly observe: Pick<Observed, 'limited'>;
}

/** Whose token it is. */
export interface TokenHolder {
  readonly session: { readonly user: User; identified(identity: Identity): void };
  /** Asks the application whom a token names; undefined: it does not care. */
  readonly identify: ((token: string) => Answer<Identity>) | undefined;
  control(item: Item): void;
  refuse(refusal: Refusal): void;
  drop(code: number, reason: string): void;
  /** `auth` has failed, or has not answered. */
  authFailed(error: unknown): void;
}

/** The token of a connection that stands: how long it counts, and what becomes of the next ones. */
export class LiveToken {
  readonly #around: LiveTokenSurroundings;
  readonly #holder: TokenHolder;
  #expiresAt: number;
  /** What is checked when the check under way is over: only the newest counts. */
  #next: string | undefined;
  #checking: { cancelDeadline(): void } | undefined;
  #stage: 'live' | 'stopped' = 'live';
  #since = -Infinity;
  #count = 0;

  constructor(expiresAt: number, around: LiveTokenSurroundings, holder: TokenHolder) {
    this.#expiresAt = expiresAt;
    this.#around = around;
    this.#holder = holder;
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
    if (++this.#count > MAX_RENEWALS) return this.#flooded();
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
    const { clock } = this.#around;
    const { identify } = this.#holder;
    const token = this.#next;
    if (token === undefined) return;
    this.#next = undefined;
    if (!identify) return this.#holder.control([Type.AUTH]);
    const late = new Error(`auth has not answered within ${AUTH_TIMEOUT_MS} ms`);
    const check = {
      cancelDeadline: clock.setTimer(() => over(() => this.#holder.authFailed(late)), AUTH_TIMEOUT_MS),
    };
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
    const { session } = this.#holder;
    if (user.id !== session.user.id) return this.#holder.refuse(ANOTHER_USER);
    this.#expiresAt = expiresAt;
    session.identified(identity);
    const ms = expiresIn(expiresAt, this.#around.clock.now());
    this.#holder.control(ms === undefined ? [Type.AUTH] : [Type.AUTH, ms]);
  }

  /** Without a BYE, which would hide how long to wait. */
  #flooded(): void {
    this.#around.observe.limited({ limit: 'renewals' });
    this.#holder.drop(CloseCode.RATE_LIMITED, `ra=${RENEWALS_MS}`);
  }

  /** Where `auth` itself has failed, the token before goes on counting. */
  #denied(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal) this.#holder.refuse(refusal);
    else this.#holder.authFailed(error);
  }
}
