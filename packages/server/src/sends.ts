import { ByNumber, type Deferred, type Receipt } from '@holdfast/protocol';
import { outboxFull, sessionOver } from './delivery-errors.js';
import { dropOldest } from './drop-oldest.js';
import type { Writing } from './ports/store.js';

/** By their numbers, those of one writer. */
export function callsOf(node: string, written: readonly Writing[]): ReadonlySet<number> {
  return new Set(written.filter(({ writer }) => writer === node).map(({ w }) => w));
}

/** Of events that nobody waits for, the newest: all before them have a number when these do. */
const MAX_KEPT = 8;

/** Events for one client, until it has acknowledged them or will not. */
export class Sends {
  /** Without a number yet, by the call that appended them. */
  readonly #waiting = new ByNumber<Deferred<Receipt>>();
  /** As these, but nobody waits for their acknowledgement. */
  readonly #kept = new Set<number>();
  /** On the wire, by number. */
  readonly #inflight = new ByNumber<{ readonly w: number; readonly deferred: Deferred<Receipt> }>();

  /** True if one has no number yet. */
  get waits(): boolean {
    return this.#waiting.size + this.#kept.size > 0;
  }

  add(w: number, deferred: Deferred<Receipt>): void {
    this.#waiting.set(w, deferred);
  }

  keep(w: number): void {
    this.#kept.add(w);
    dropOldest(this.#kept, MAX_KEPT);
  }

  /** What this call was to append, or has, has a number or will not get one. */
  take(w: number): Deferred<Receipt> | undefined {
    const deferred = this.#waiting.get(w);
    this.#waiting.delete(w);
    this.#kept.delete(w);
    return deferred;
  }

  /** To what came later. */
  gaveWay(w: number): void {
    const deferred = this.take(w);
    deferred?.reject(outboxFull(deferred.id, 'it gave way to what came later'));
  }

  superseded(w: number): void {
    const deferred = this.take(w);
    deferred?.resolve({ id: deferred.id, outcome: 'superseded' });
  }

  numbered(seq: number, w: number): Deferred<Receipt> | undefined {
    const deferred = this.take(w);
    if (deferred) this.#inflight.set(seq, { w, deferred });
    return deferred;
  }

  /** The client has everything up to `ack`. */
  acknowledged(ack: number): void {
    for (const [seq, { deferred }] of this.#inflight) {
      if (seq > ack) break;
      this.#inflight.delete(seq);
      acknowledge(deferred);
    }
  }

  /** The client has these calls' events, which another server may have given their numbers. */
  taken(calls: ReadonlySet<number>): void {
    for (const w of calls) {
      const deferred = this.take(w);
      if (deferred) acknowledge(deferred);
    }
    for (const [seq, { w, deferred }] of this.#inflight) {
      if (!calls.has(w)) continue;
      this.#inflight.delete(seq);
      acknowledge(deferred);
    }
  }

  /** The session is over. `isUnsent`: whether what a call has appended never got a number. */
  end(isUnsent: (w: number) => boolean): void {
    for (const { deferred } of this.#inflight.values()) {
      deferred.reject(sessionOver(deferred.id, true));
    }
    for (const [w, deferred] of this.#waiting) deferred.reject(sessionOver(deferred.id, !isUnsent(w)));
    this.#inflight.clear();
    this.#waiting.clear();
    this.#kept.clear();
  }
}

function acknowledge(deferred: Deferred<Receipt>): void {
  deferred.resolve({ id: deferred.id, outcome: 'acknowledged' });
}
