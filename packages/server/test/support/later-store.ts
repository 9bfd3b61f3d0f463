import type { Clock, Random } from '@holdfast/protocol';
import type { Answer, SessionStore } from '../../src/ports/store.js';

/** What is put in comes out later, in the same order. */
function line(clock: Clock, random: Random, maxDelayMs: number): (run: () => void) => void {
  const waiting: (() => void)[] = [];
  let lastAt = 0;
  return (run) => {
    waiting.push(run);
    const now = clock.now();
    lastAt = Math.max(lastAt, now + random.fraction() * maxDelayMs);
    // Whichever timer rings first, the oldest goes.
    clock.setTimer(() => waiting.shift()?.(), lastAt - now);
  };
}

/**
 * The same store at the other end of a connection: calls arrive later, in their order, and so do answers. Notes come
 * on a connection of their own. One for each server, as each would have its own connections.
 */
export function laterStore(store: SessionStore, clock: Clock, random: Random, maxDelayMs = 5): SessionStore {
  const there = line(clock, random, maxDelayMs);
  const back = line(clock, random, maxDelayMs);
  const notes = line(clock, random, maxDelayMs);

  const ask = <T>(call: () => Answer<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const answer = async (): Promise<T> => call();
      there(() => {
        answer().then(
          (value) => back(() => resolve(value)),
          (error: unknown) => back(() => reject(error)),
        );
      });
    });

  return {
    durability: store.durability,
    leaseMs: store.leaseMs,
    attach: (call) => ask(() => store.attach(call)),
    accept: (call) => ask(() => store.accept(call)),
    append: (call) => ask(() => store.append(call)),
    withdraw: (call) => ask(() => store.withdraw(call)),
    read: (call) => ask(() => store.read(call)),
    detach: (call) => ask(() => store.detach(call)),
    end: (call) => ask(() => store.end(call)),
    claim: (call) => ask(() => store.claim(call)),
    renew: (call) => ask(() => store.renew(call)),
    release: (call) => ask(() => store.release(call)),
    done: (call) => ask(() => store.done(call)),
    orphans: (call) => ask(() => store.orphans(call)),
    publish: (call) => ask(() => store.publish(call)),
    incarnation: (call) => ask(() => store.incarnation(call)),
    find: (call) => ask(() => store.find(call)),
    describe: (call) => ask(() => store.describe(call)),
    move: (call) => ask(() => store.move(call)),
    cast: (call) => ask(() => store.cast(call)),
    readRoom: (call) => ask(() => store.readRoom(call)),
    present: (call) => ask(() => store.present(call)),
    whoIsThere: (call) => ask(() => store.whoIsThere(call)),
    beat: (call) => ask(() => store.beat(call)),
    listen(listener) {
      let listening = true;
      const stop = store.listen((note) => notes(() => listening && listener(note)));
      return () => {
        listening = false;
        stop();
      };
    },
  };
}
