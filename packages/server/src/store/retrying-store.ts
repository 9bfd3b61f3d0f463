import { type Clock, isPromiseLike, type Random } from '@holdfast/protocol';
import type { Answer, SessionStore } from '../ports/store.js';
import { publishing } from './publishing.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export interface RetryingSurroundings {
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  /** The store has begun to fail. Told once, until it answers again. */
  failed(error: unknown): void;
}

/** A store that is asked again until it answers. */
export interface RetryingStore extends SessionStore {
  /** Nobody waits for answers any more: what is still to be asked is not asked. */
  stop(): void;
}

/**
 * Repeats what the store did not answer, since everything but `attach` may be repeated: a store that cannot be reached
 * is a store that is slow, and nothing is acknowledged, handled or lost meanwhile. `attach` rejects; the client dials
 * again. Of `publish`, `lost` means that it may have been published: an answer is missing, and the store has lost its last
 * writes since.
 */
export function retryingStore(store: SessionStore, around: RetryingSurroundings): RetryingStore {
  const { clock, random, failed } = around;
  const pauses = new Set<() => void>();
  let health: 'fine' | 'failing' | 'stopped' = 'fine';

  const failing = (error: unknown): void => {
    if (health !== 'fine') return;
    health = 'failing';
    failed(error);
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      // Servers that share a store must not come back to it all at once.
      const cancel = clock.setTimer(
        () => {
          pauses.delete(cancel);
          resolve();
        },
        ms * (0.5 + random.fraction() / 2),
      );
      pauses.add(cancel);
    });

  const insist = async <T>(answer: PromiseLike<T>, call: () => Answer<T>): Promise<T> => {
    let next: Answer<T> | PromiseLike<T> = answer;
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(LONGEST_PAUSE_MS, 2 * ms)) {
      try {
        const value = await next;
        if (health === 'failing') health = 'fine';
        return value;
      } catch (error) {
        failing(error);
      }
      // For ever, if it was stopped: whoever waits is gone.
      await (health === 'stopped' ? new Promise(() => undefined) : pause(ms));
      next = call();
    }
  };
  const retried =
    <C, T>(ask: (call: C) => Answer<T>): ((call: C) => Answer<T>) =>
    (call) => {
      const answer = ask(call);
      return isPromiseLike(answer) ? insist(answer, () => ask(call)) : answer;
    };

  return {
    durability: store.durability,
    leaseMs: store.leaseMs,
    get heldBytes() {
      return store.heldBytes;
    },
    attach: (call) => store.attach(call),
    accept: retried((call) => store.accept(call)),
    append: retried((call) => store.append(call)),
    withdraw: retried((call) => store.withdraw(call)),
    read: retried((call) => store.read(call)),
    detach: retried((call) => store.detach(call)),
    end: retried((call) => store.end(call)),
    claim: retried((call) => store.claim(call)),
    renew: retried((call) => store.renew(call)),
    release: retried((call) => store.release(call)),
    done: retried((call) => store.done(call)),
    orphans: retried((call) => store.orphans(call)),
    publish: publishing(store, retried),
    incarnation: retried((call) => store.incarnation(call)),
    find: retried((call) => store.find(call)),
    describe: retried((call) => store.describe(call)),
    move: retried((call) => store.move(call)),
    cast: retried((call) => store.cast(call)),
    readRoom: retried((call) => store.readRoom(call)),
    listen: (listener) => store.listen(listener),
    stop: () => {
      health = 'stopped';
      for (const cancel of pauses) cancel();
      pauses.clear();
    },
  };
}
