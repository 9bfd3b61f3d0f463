import { type Clock, isPromiseLike, type Random } from '@holdfast/protocol';
import type { Observed } from '../observe/observer.js';
import type { Answer, CastCall, PresentCall, ReadRoomCall, SessionStore } from '../ports/store.js';
import { Backlog } from './backlog.js';
import { Pauses } from './pauses.js';
import { publishing, type Retried } from './publishing.js';
import { StoreHealth, type StoreOperation } from './store-health.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** A session that no store has: what is asked only to see whether the store answers. */
const NOBODY = { sids: ['-'] };

export interface RetryingSurroundings {
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly observe: Pick<Observed, 'storeAsked' | 'storeChanged'>;
  /** The store has begun to fail. Told once, until it is well again. */
  failed(error: unknown): void;
}

/** A store that is asked again until it answers. */
export interface RetryingStore extends SessionStore {
  readonly health: Pick<StoreHealth, 'degraded' | 'look' | 'away'>;
  /** What waits for it of what the application says. */
  readonly backlog: Backlog;
  /** Nobody waits for answers any more: what is still to be asked is not asked. */
  stop(): void;
}

/** What a store throws at once is a failure as any other. */
function asked<C, T>(call: (what: C) => Answer<T>, what: C): Answer<T> {
  try {
    return call(what);
  } catch (error) {
    return Promise.reject(error);
  }
}

const aboutRooms = (store: SessionStore, retried: Retried) => ({
  cast: retried('cast', (call: CastCall) => store.cast(call)),
  readRoom: retried('readRoom', (call: ReadRoomCall) => store.readRoom(call)),
  present: retried('present', (call: PresentCall) => store.present(call)),
  whoIsThere: retried('whoIsThere', (call: { readonly room: string }) => store.whoIsThere(call)),
  beat: retried('beat', (call: { readonly node: string }) => store.beat(call)),
});

/**
 * Repeats what the store did not answer, since everything but `attach` may be repeated: a store that cannot be reached
 * is a store that is slow, and nothing is acknowledged, handled or lost meanwhile. `attach` rejects; the client dials
 * again. Of `publish`, `lost` means that it may have been published: an answer is missing, and the store has lost its last
 * writes since.
 */
export function retryingStore(store: SessionStore, around: RetryingSurroundings): RetryingStore {
  const { clock, random } = around;
  const pauses = new Pauses(clock, random);
  let lately: 'answered' | 'failed' = 'answered';
  const health = new StoreHealth({ ...around, probe: () => ask('find', (what) => store.find(what), NOBODY) });

  const ask = <C, T>(operation: StoreOperation, call: (what: C) => Answer<T>, what: C): Answer<T> => {
    const answer = asked(call, what);
    return isPromiseLike(answer) ? health.watch(operation, answer) : answer;
  };
  const answered = <T>(value: T): T => {
    // The store answers again: nobody need wait for the end of a pause.
    if (lately === 'failed') pauses.cutShort();
    lately = 'answered';
    return value;
  };
  const insist = async <T>(answer: PromiseLike<T>, again: () => Answer<T>): Promise<T> => {
    let next: Answer<T> | PromiseLike<T> = answer;
    let hurriedAt = -Infinity;
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(LONGEST_PAUSE_MS, 2 * ms)) {
      try {
        return answered(await next);
      } catch {
        // Reported by `health.watch`.
        lately = 'failed';
      }
      // Others may be answered while this one never is, as when there is no more room.
      const mayHurry = clock.now() - hurriedAt >= LONGEST_PAUSE_MS;
      if ((await pauses.wait(ms, mayHurry)) === 'cut short') hurriedAt = clock.now();
      next = again();
    }
  };
  const retried =
    <C, T>(operation: StoreOperation, call: (what: C) => Answer<T>): ((what: C) => Answer<T>) =>
    (what) => {
      const answer = ask(operation, call, what);
      return isPromiseLike(answer) ? insist(answer, () => ask(operation, call, what)) : answer;
    };

  return {
    durability: store.durability,
    leaseMs: store.leaseMs,
    get heldBytes() {
      return store.heldBytes;
    },
    health,
    backlog: new Backlog(health),
    attach: (call) => ask('attach', (what) => store.attach(what), call),
    accept: retried('accept', (call) => store.accept(call)),
    append: retried('append', (call) => store.append(call)),
    withdraw: retried('withdraw', (call) => store.withdraw(call)),
    read: retried('read', (call) => store.read(call)),
    detach: retried('detach', (call) => store.detach(call)),
    end: retried('end', (call) => store.end(call)),
    claim: retried('claim', (call) => store.claim(call)),
    renew: retried('renew', (call) => store.renew(call)),
    release: retried('release', (call) => store.release(call)),
    done: retried('done', (call) => store.done(call)),
    orphans: retried('orphans', (call) => store.orphans(call)),
    publish: publishing(store, retried),
    incarnation: retried('incarnation', (call) => store.incarnation(call)),
    find: retried('find', (call) => store.find(call)),
    describe: retried('describe', (call) => store.describe(call)),
    move: retried('move', (call) => store.move(call)),
    ...aboutRooms(store, retried),
    listen: (listener) => store.listen(listener),
    stop: () => {
      health.stop();
      pauses.stop();
    },
  };
}
