import { ByNumber, type Item } from '@holdfast/protocol';
import type { Bounds, ClaimCall, Claimed, ClaimedItem } from '../ports/store.js';

interface Claim {
  readonly holder: string;
  readonly token: string;
  until: number;
  /** `started`, `holding`: renewed, its handler is running; past one that holds nobody is given anything. */
  stage: 'claimed' | 'holding' | 'started';
}
interface Entry {
  readonly item: Item;
  readonly bytes: number;
  claim: Claim | undefined;
  redelivered: boolean;
  /** How many claims of it have run out. */
  expired: number;
}

/** What was accepted from a client and has not been handled, and who is handling it. */
export class Inbox {
  readonly #bounds: Bounds;
  readonly #leaseMs: number;
  readonly #entries = new ByNumber<Entry>();
  #bytes = 0;

  constructor(bounds: Bounds, leaseMs: number) {
    this.#bounds = bounds;
    this.#leaseMs = leaseMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Who has claimed it, if anybody has. */
  holderOf(seq: number): string | undefined {
    return this.#entries.get(seq)?.claim?.holder;
  }

  /** False if there is no place for it; with nothing there, one of any size has its place. */
  add(seq: number, item: Item, bytes: number): boolean {
    const [maxMessages, maxBytes] = this.#bounds;
    const full = this.size >= maxMessages || this.#bytes + bytes > maxBytes;
    if (full && this.size > 0) return false;
    this.#entries.set(seq, { item, bytes, claim: undefined, redelivered: false, expired: 0 });
    this.#bytes += bytes;
    return true;
  }

  claim({ holder, running, max, token, serial = false }: ClaimCall, now: number): Claimed {
    const items: ClaimedItem[] = [];
    let blocked = false;
    // True where what follows must wait.
    this.#entries.some((entry, seq) => {
      if (items.length >= max) return true;
      const { claim } = entry;
      // Who asks again has not been answered, and has begun nothing.
      const expired = claim !== undefined && claim.token !== token && claim.until <= now;
      if (claim && !expired && claim.holder !== holder) {
        blocked = true;
        // Its handler may be about to start, and what comes after it must not start before it.
        return serial || claim.stage !== 'started' || entry.expired > 0;
      }
      if (running.includes(seq)) return entry.expired > 0;
      const times = entry.expired + (expired ? 1 : 0);
      // It may have taken its server down: nobody else is to go with it.
      if (times > 0 && (blocked || items.length + running.length > 0)) return true;
      if (expired || isBegun(claim)) entry.redelivered = true;
      entry.expired = times;
      entry.claim = { holder, token, until: now + this.#leaseMs, stage: 'claimed' };
      items.push({ seq, item: entry.item, token, redelivered: entry.redelivered, expired: times });
      return times > 0;
    });
    return { items, blocked };
  }

  /** An expired claim that nobody has taken over is as good as new. */
  renew(seq: number, token: string, now: number, holds = false): boolean {
    const claim = this.#held(seq, token)?.claim;
    if (!claim) return false;
    claim.until = now + this.#leaseMs;
    claim.stage = holds ? 'holding' : 'started';
    return true;
  }

  release(seq: number, token: string): boolean {
    const entry = this.#held(seq, token);
    if (!entry) return false;
    if (isBegun(entry.claim)) entry.redelivered = true;
    entry.claim = undefined;
    return true;
  }

  done(seq: number, token: string): boolean {
    const entry = this.#held(seq, token);
    if (!entry) return false;
    this.#entries.delete(seq);
    this.#bytes -= entry.bytes;
    return true;
  }

  #held(seq: number, token: string): Entry | undefined {
    const entry = this.#entries.get(seq);
    return entry?.claim?.token === token ? entry : undefined;
  }
}

const isBegun = (claim: Claim | undefined): boolean => claim !== undefined && claim.stage !== 'claimed';
