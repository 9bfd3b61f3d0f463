import { ByNumber, type Deferred, type Receipt } from '@holdfast/protocol';
import { outboxFull, sessionOver } from './delivery-errors.js';

/** Events for one client, until it has acknowledged them or will not. */
export class Sends {
  /** Without a number yet, by the call that appended them. */
  readonly #waiting = new ByNumber<Deferred<Receipt>>();
  /** On the wire, by number. */
  readonly #inflight = new ByNumber<Deferred<Receipt>>();

  add(w: number, deferred: Deferred<Receipt>): void {
    this.#waiting.set(w, deferred);
  }

  /** What this call was to append, or has, will not get a number. */
  take(w: number): Deferred<Receipt> | undefined {
    const deferred = this.#waiting.get(w);
    this.#waiting.delete(w);
    return deferred;
  }

  /** To what came later. */
  gaveWay(w: number): void {
    const deferred = this.take(w);
    deferred?.reject(outboxFull(deferred.sending.id, 'it gave way to what came later'));
  }

  superseded(w: number): void {
    const deferred = this.take(w);
    deferred?.resolve({ id: deferred.sending.id, outcome: 'superseded' });
  }

  numbered(seq: number, w: number): void {
    const deferred = this.take(w);
    if (deferred) this.#inflight.set(seq, deferred);
  }

  /** The client has everything up to `ack`. */
  acknowledged(ack: number): void {
    for (const [seq, deferred] of this.#inflight) {
      if (seq > ack) break;
      this.#inflight.delete(seq);
      deferred.resolve({ id: deferred.sending.id, outcome: 'acknowledged' });
    }
  }

  /** The session is over. */
  end(): void {
    for (const { sending, reject } of this.#inflight.values()) reject(sessionOver(sending.id, true));
    for (const { sending, reject } of this.#waiting.values()) reject(sessionOver(sending.id, false));
    this.#inflight.clear();
    this.#waiting.clear();
  }
}
