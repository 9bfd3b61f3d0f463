import { TokenBucket, TokenBuckets } from './token-bucket.js';

export interface MessageRateSettings {
  readonly messagesPerSecond: number;
  readonly burst: number;
  readonly userMessagesPerSecond: number;
}

/** A message that is refused. */
export interface OverRate {
  /** When it would be taken: later for each that was refused just before, so that all together keep to the rate. */
  readonly retryAfterMs: number;
  /** So many were refused already that refusing is no answer any more; the time is then that to a full bucket. */
  readonly flood: boolean;
}

/** How many messages the sessions of this server may send, each by itself and those of one user together. */
export class MessageRates {
  readonly #settings: MessageRateSettings;
  readonly #users: TokenBuckets;

  constructor(settings: MessageRateSettings) {
    this.#settings = settings;
    const { messagesPerSecond, burst, userMessagesPerSecond } = settings;
    // Saved up for as long as by one session.
    this.#users = new TokenBuckets(
      userMessagesPerSecond,
      Math.max(burst, burst * (userMessagesPerSecond / messagesPerSecond) || 1),
    );
  }

  /** Of a session that begins, or comes here from another server. */
  of(userId: string): MessageRate {
    return new MessageRate(this.#settings, userId, this.#users);
  }

  /** True if all sessions of a user have saved up all that they can. */
  isFull(userId: string, now: number): boolean {
    return this.#users.known(userId)?.isFull(now) ?? true;
  }
}

/** Of one session: a connection that comes back has no more than the one before had left. */
export class MessageRate {
  readonly #user: string;
  readonly #users: TokenBuckets;
  readonly #own: TokenBucket;
  readonly #burst: number;
  /** So many refusals, and as many again each second, before it is a flood. */
  #refusals: TokenBucket | undefined;
  /** The highest number that was paid for: whatever comes again on another connection was. */
  #paidUpTo = 0;

  constructor({ messagesPerSecond, burst }: MessageRateSettings, user: string, users: TokenBuckets) {
    this.#user = user;
    this.#users = users;
    this.#burst = burst;
    this.#own = new TokenBucket(messagesPerSecond, burst);
  }

  /** How many messages may come now. */
  level(now: number): number {
    return Math.min(this.#own.level(now), this.#users.of(this.#user, now).level(now));
  }

  isFull(now: number): boolean {
    return this.#own.isFull(now);
  }

  /** In how many ms so many may come, if none do before. */
  msUntil(messages: number, now: number): number {
    return Math.max(this.#own.msUntil(messages, now), this.#users.of(this.#user, now).msUntil(messages, now));
  }

  /** Charges for a message; `seq`: its number, 0 if it has none. Undefined: it may come. */
  charge(seq: number, now: number): OverRate | undefined {
    if (seq > 0 && seq <= this.#paidUpTo) return undefined;
    const user = this.#users.of(this.#user, now);
    if (user.level(now) >= 1 && this.#own.take(now)) {
      user.take(now);
      this.#paidUpTo = Math.max(this.#paidUpTo, seq);
      return undefined;
    }
    this.#refusals ??= new TokenBucket(this.#burst, this.#burst);
    const flood = !this.#refusals.take(now);
    const wanted = flood ? this.#burst : this.#burst - this.#refusals.level(now);
    return { retryAfterMs: Math.max(1, Math.ceil(this.msUntil(wanted, now))), flood };
  }
}
