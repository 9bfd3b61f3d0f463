import type { ClientOptions, HoldfastClient, RestoredMessage } from '@holdfast/client';
import { MemoryOutbox, type OutboxStore, outboxOn } from '@holdfast/client/storage';
import { openBed } from './people.js';

export const durable = { delivery: 'durable' } as const;
export const never = () => new Promise<never>(() => undefined);
type Options = Partial<Omit<ClientOptions, 'url'>>;

/** A bed whose server notes what it hears, by user, and clients that come and go with what they have stored. */
export function lasting(over: Parameters<typeof openBed>[0] = {}) {
  const noted: string[] = [];
  const store = new MemoryOutbox();
  const bed = openBed({
    auth: (token) => ({ user: { id: token ?? 'nobody' } }),
    setup(server) {
      server.on('note', (payload, { session }) => noted.push(`${session.user.id} ${payload}`));
    },
    ...over,
  });
  /** One life of a page. */
  const dead = new Set<HoldfastClient>();
  const life = (options: Options = {}, userId?: string) => {
    const mortal: OutboxStore = {
      name: store.name,
      async open(user) {
        const { adopt, put, remove, close } = await store.open(user);
        const unlessDead = <T>(call: () => Promise<T>) => (dead.has(client) ? never() : call());
        return {
          ...{ adopt, close },
          put: (messages) => unlessDead(() => put(messages)),
          remove: (ids) => unlessDead(() => remove(ids)),
        };
      },
    };
    const outbox = { storage: outboxOn(mortal, { userId }) };
    const client: HoldfastClient = bed.createClient({ auth: 'ada', outbox, ...options });
    const restored: RestoredMessage[] = [];
    client.onRestored((messages) => restored.push(...messages));
    return { client, restored };
  };
  /** The page is gone without a word: nothing of it is heard or said any more, and its locks are free. */
  const crash = (client: HoldfastClient): void => {
    bed.freeze(client);
    dead.add(client);
    store.abandon();
  };
  const ids = () => store.messages.map(({ id }) => id);
  return { bed, noted, store, life, crash, ids };
}
