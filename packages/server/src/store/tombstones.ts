import type { ErrorItem } from '@holdfast/protocol';
import { ByAge } from '../by-age.js';
import { dropOldest } from '../drop-oldest.js';
import type { AttachCall, Attached } from '../ports/store.js';
import type { HandledMarks } from './handled-marks.js';
import type { Keys } from './keys.js';

const MAX_AGE_MS = 86_400_000;
const MAX_TOMBSTONES = 10_000;
/** Of all refusals together, as JSON. Whose tombstone had to go is told that nothing is known, which is true. */
const MAX_REFUSED_BYTES = 4_194_304;

/** What is kept of a session that ended without its client. */
interface Tombstone {
  readonly userId: string;
  readonly keys: Keys;
  /** Moves on while handlers are finishing. */
  readonly handled: HandledMarks;
  /** Refusals that never reached the client, as far as anybody knows. */
  readonly refused: readonly ErrorItem[];
  /** Its client has been there: it knows this session. */
  readonly heard: boolean;
  readonly endedAt: number;
  /** Why a server has ended it. */
  readonly reason: string | undefined;
}

/** Tells a client that comes back too late what became of its messages. */
export class Tombstones {
  /** The oldest first. */
  readonly #bySession = new ByAge<string, Tombstone & { refused: ErrorItem[]; refusedBytes: number }>();
  #refusedBytes = 0;
  /** Ids of sessions that their clients have ended; the oldest first. */
  readonly #closed = new Set<string>();

  add(sid: string, tombstone: Tombstone): void {
    this.delete(sid);
    const { refused, endedAt } = tombstone;
    this.#bySession.set(sid, { ...tombstone, refused: [], refusedBytes: 0 });
    for (const refusal of refused) this.refuse(sid, refusal);
    this.#makeRoom(endedAt);
  }

  /** A handler has refused a message of one that has ended. */
  refuse(sid: string, refusal: ErrorItem): void {
    const tombstone = this.#bySession.get(sid);
    if (!tombstone) return;
    const bytes = JSON.stringify(refusal).length;
    tombstone.refused.push(refusal);
    tombstone.refusedBytes += bytes;
    this.#refusedBytes += bytes;
    this.#makeRoom(tombstone.endedAt);
  }

  #makeRoom(now: number): void {
    for (let { oldest } = this.#bySession; oldest; oldest = this.#bySession.oldest) {
      const tooMuch = this.#bySession.size > MAX_TOMBSTONES || this.#refusedBytes > MAX_REFUSED_BYTES;
      if (!tooMuch && oldest.value.endedAt >= now - MAX_AGE_MS) break;
      this.delete(oldest.key);
    }
  }

  /** Its client has ended it, and asks for nothing more; but a HELLO of it may still be under way. */
  close(sid: string): void {
    this.#closed.add(sid);
    dropOldest(this.#closed, MAX_TOMBSTONES);
  }

  /** Whether its session has ever heard of its client. */
  heard(sid: string, now: number): boolean {
    return this.#closed.has(sid) || (this.#get(sid, now)?.heard ?? false);
  }

  delete(sid: string): void {
    this.#refusedBytes -= this.#bySession.get(sid)?.refusedBytes ?? 0;
    this.#bySession.delete(sid);
  }

  /** Details only for who shows user and key; whoever else asks cannot tell it from a session that never was. */
  ask({ sid, user, key }: AttachCall, now: number): Attached {
    const tombstone = this.#get(sid, now);
    if (tombstone?.userId !== user.id || !tombstone.keys.include(key)) return { status: 'lost' };
    const { handled, refused, reason: ended } = tombstone;
    return { status: 'lost', ended, handled: handled.told(), refused: [...refused] };
  }

  #get(sid: string, now: number): Tombstone | undefined {
    const tombstone = this.#bySession.get(sid);
    return tombstone && tombstone.endedAt >= now - MAX_AGE_MS ? tombstone : undefined;
  }
}
