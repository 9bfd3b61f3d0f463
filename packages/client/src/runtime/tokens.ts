import {
  type Clock,
  checkThat,
  holdfastError,
  isRejectError,
  messageOf,
  type Random,
} from '@holdfast/protocol';
import type { TokenSource } from '../types.js';

/** How much of a token's time may pass until the next one is asked for, give or take a tenth. */
const FRESH_PART = 0.8;
const SOURCE_TIMEOUT_MS = 10_000;
/** When to ask again after a refresh that failed; the server waits for 25 s beyond the end. */
const RETRY_MS = 5_000;
/** Whatever a server says of a token's time must not become a storm of refreshes. */
const MIN_FRESH_MS = 1_000;
/** How many tokens in a row, fresh from the source, the server may refuse. */
const MAX_REFUSED = 2;
/** The first frame, with the token in it, may have 8 KiB. */
const MAX_TOKEN_LENGTH = 7_168;

type Reason = 'connect' | 'expiring' | 'rejected';
type Token = string | undefined;

/**
 * The token of this client, and when the next one is due. Its source is asked for one at a time, and only when it
 * must be: an identity provider has limits of its own.
 */
export class Tokens {
  readonly #ports: { readonly clock: Clock; readonly random: Random };
  #source: TokenSource | undefined;
  #known: { readonly token: string; freshUntil: number; isFresh: boolean } | undefined;
  #asking: { readonly answer: Promise<string>; readonly aborter: AbortController } | undefined;
  #reason: Reason = 'connect';
  /** In a row. */
  #refused = 0;
  /** When a connection that stands needs another one. */
  refreshAt = Infinity;

  constructor(ports: { readonly clock: Clock; readonly random: Random }, source?: TokenSource) {
    this.#ports = ports;
    this.#source = source;
  }

  /** Another token, or another source of them: true if it is not the one that was there. */
  replace(source: TokenSource): boolean {
    if (source === this.#source) return false;
    this.abandon();
    this.#source = source;
    this.forgive();
    this.#forget('connect');
    return true;
  }

  /** The application wants it to be tried again. */
  forgive(): void {
    this.#refused = 0;
  }

  /** True if another one can be asked for. */
  get canRenew(): boolean {
    return typeof this.#source === 'function' && this.#refused < MAX_REFUSED;
  }

  /** For an attempt; at once if one is known that is fresh. Rejects with `ERR_TOKEN_SOURCE`, or `ERR_AUTH_REFUSED`. */
  get(): Token | Promise<Token> {
    if (typeof this.#source !== 'function') return this.#source;
    const known = this.#known;
    if (!known || this.#now >= known.freshUntil) return this.#ask(this.#reason);
    // Shown before: should it be refused now, that does not count against its source.
    known.isFresh = false;
    return known.token;
  }

  /** For a connection that stands. Rejects with `ERR_TOKEN_SOURCE`, also after 10 s. */
  async refresh(): Promise<Token> {
    this.refreshAt = this.#now + SOURCE_TIMEOUT_MS + RETRY_MS;
    const cancel = this.#ports.clock.setTimer(() => this.abandon(), SOURCE_TIMEOUT_MS);
    try {
      return await this.#ask('expiring');
    } finally {
      cancel();
      // Unless there is another source by now, or another token is wanted anyway.
      if (this.refreshAt < Infinity) this.refreshAt = Math.min(this.refreshAt, this.#now + RETRY_MS);
    }
  }

  /** The server has accepted the token, and says in how many ms it expires. */
  accepted(expiresInMs = Infinity): void {
    this.forgive();
    this.#reason = 'connect';
    if (!this.#known) return;
    const part = FRESH_PART * (0.9 + 0.2 * this.#ports.random.fraction());
    const freshUntil = this.#now + part * expiresInMs;
    Object.assign(this.#known, { freshUntil, isFresh: false });
    this.refreshAt = Math.max(freshUntil, this.#now + MIN_FRESH_MS);
  }

  /** The server wants another one. */
  rejected(): void {
    if (!this.#known) return;
    if (this.#known.isFresh) this.#refused++;
    this.#forget('rejected');
  }

  /** Nobody waits for the answer of the source any more. */
  abandon(): void {
    this.#asking?.aborter.abort();
    this.#asking = undefined;
  }

  get #now(): number {
    return this.#ports.clock.now();
  }

  #forget(reason: Reason): void {
    this.#known = undefined;
    this.#reason = reason;
    this.refreshAt = Infinity;
  }

  #ask(reason: Reason): Promise<string> {
    if (this.#asking) return this.#asking.answer;
    const aborter = new AbortController();
    const answer = this.#fetch(reason, aborter.signal).finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    const asking = { answer, aborter };
    this.#asking = asking;
    return answer;
  }

  async #fetch(reason: Reason, signal: AbortSignal): Promise<string> {
    const late = new Error('it took too long');
    try {
      const source = this.#source as Exclude<TokenSource, string>;
      const token = await Promise.race([
        source({ reason, signal }),
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(late))),
      ]);
      checkToken(token, 'what it gives');
      // Given up in the very moment in which it answered.
      if (signal.aborted) throw late;
      this.#known = { token, freshUntil: Infinity, isFresh: true };
      return token;
    } catch (cause) {
      const text = `auth gave no token: ${messageOf(cause)}`;
      throw isRejectError(cause)
        ? holdfastError('ERR_AUTH_REFUSED', text, { cause, reason: cause.reason })
        : holdfastError('ERR_TOKEN_SOURCE', text, { cause });
    }
  }
}

/** Throws a `TypeError` unless it is a token that a first frame can carry. */
export function checkToken(token: unknown, what: string): asserts token is string {
  checkThat(typeof token === 'string', what, 'a string', token);
  const { length } = token as string;
  if (length > MAX_TOKEN_LENGTH) {
    throw new TypeError(`${what} may have ${MAX_TOKEN_LENGTH} characters, not ${length}`);
  }
}
