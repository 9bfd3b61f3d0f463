/** What is answered to who knocks. */
export type Admittance =
  | { readonly admit: 'now' }
  /** It has a place in the queue: its handshake begins in so many ms, at most a second. */
  | { readonly admit: 'later'; readonly inMs: number }
  /** Sent away, with a slot: whoever comes back after so many ms is let in. */
  | { readonly admit: 'no'; readonly retryAfterMs: number };

interface Slot {
  /** When it is to come back, ms. */
  readonly at: number;
  /** A client adds jitter to what it is told, so it may come that much earlier or later; ms. */
  readonly slack: number;
}

const QUEUE_MS = 1_000;
/** While anybody holds a slot: who holds none may fill the queue up to here, so that there is room for who does. */
const NEWCOMERS_QUEUE_MS = 250;
/** What is saved up while nobody comes: so much work may begin at once. */
const BURST_MS = 100;
/** In handshakes. A refusal is cheap, and a herd makes so many of them that they are felt. */
const REFUSAL_COST = 0.02;
/**
 * What is charged for refusals at most, ms of work ahead: they are done when they are said, so it must not be much less
 * than they cost, or more is let in than there is time for; but who comes after a flood must not pay for all of it.
 */
const CHARGED_MS = 10_000;
/** A flood of strangers must not send a client away for hours: beyond this, slots are shared. */
const MAX_WAIT_MS = 600_000;
/** Within less than this nobody needs to be told to spread: the first step of any backoff is longer. */
const LEAST_SPREAD_MS = 100;
const CLIENT_JITTER = 0.05;
/** A dial takes its time, and timers of a page in the background ring once a minute. */
const GRACE_MS = 60_000;
/** Slots whose holders are known when they come; some 15 MB at most. Later ones are handed out all the same. */
const MAX_REMEMBERED = 100_000;

/**
 * Decides who may begin a handshake: so many a second, a queue of one second, and a slot for everybody else, one after
 * the other at the same rate. Slots keep no capacity free, so one that nobody takes costs nothing: newcomers get in
 * whenever the queue is short. Where both come, who keeps to its slot goes first.
 *
 * `Who` says who knocks, such as the session that a HELLO names or, without one, its nonce: the same each time it
 * knocks. Without it everybody is a newcomer, and may be sent away again.
 */
export class Admission<Who = string> {
  readonly #perSecond: number;
  readonly #handshakeMs: number;
  /** Work that was let in will be done by then, ms. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** The last slot that was handed out. */
  #lastSlotAt = Number.NEGATIVE_INFINITY;
  /** In the order of their slots. */
  readonly #slots = new Map<Who, Slot>();
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  /** `perSecond`: the handshakes a second that this server can do beside its other work; above 0. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#handshakeMs = 1_000 / perSecond;
  }

  /** How many slots are out whose holders would be known. */
  get remembered(): number {
    return this.#slots.size;
  }

  /** Over how long so many can be taken in; undefined: that is too short to say. */
  spreadMs(connections: number): number | undefined {
    const spreadMs = Math.ceil((connections / this.#perSecond) * 1_000);
    return spreadMs < LEAST_SPREAD_MS ? undefined : spreadMs;
  }

  /** `now` in ms, never falling. */
  ask(now: number, who?: Who): Admittance {
    this.#forget(now);
    const slot = who === undefined ? undefined : this.#slots.get(who);
    const isItsTurn = slot !== undefined && now >= slot.at - slot.slack;
    const waitMs = Math.max(0, this.#busyUntil - now);
    const queueMs = isItsTurn || this.#slots.size === 0 ? QUEUE_MS : NEWCOMERS_QUEUE_MS;
    if (waitMs > 0 && waitMs + this.#handshakeMs > queueMs) {
      return { admit: 'no', retryAfterMs: Math.ceil(this.#refuse(now, who, slot) - now) };
    }
    if (slot && who !== undefined) this.#slots.delete(who);
    this.#busyUntil = Math.max(this.#busyUntil, now - BURST_MS) + this.#handshakeMs;
    return waitMs === 0 ? { admit: 'now' } : { admit: 'later', inMs: waitMs };
  }

  /** Says when to come back. */
  #refuse(now: number, who: Who | undefined, slot: Slot | undefined): number {
    const charged = Math.min(this.#busyUntil + REFUSAL_COST * this.#handshakeMs, now + CHARGED_MS);
    this.#busyUntil = Math.max(this.#busyUntil, charged);
    // One slot each, however often it knocks before. Who was in time and met a full queue comes when that is done.
    if (slot) return Math.max(slot.at, this.#busyUntil);
    const next = Math.max(this.#lastSlotAt, this.#busyUntil) + (1 + REFUSAL_COST) * this.#handshakeMs;
    const at = Math.min(next, now + MAX_WAIT_MS);
    this.#lastSlotAt = Math.max(this.#lastSlotAt, at);
    if (who !== undefined && this.#slots.size < MAX_REMEMBERED) {
      // A client rounds what it has drawn.
      this.#slots.set(who, { at, slack: (at - now) * CLIENT_JITTER + 1 });
    }
    return at;
  }

  /** Not at each knock: a map from whose front much was taken is slow to find its new front. */
  #forget(now: number): void {
    if (now < this.#lookAgainAt) return;
    this.#lookAgainAt = now + 1_000;
    for (const [who, { at, slack }] of this.#slots) {
      if (at + slack + GRACE_MS >= now) return;
      this.#slots.delete(who);
    }
  }
}
