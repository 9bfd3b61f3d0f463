import type { MemoryOutbox, OpenOutbox, StoredMessage } from '@holdfast/client/storage';

/** An outbox that is right, of which the mutant does one thing wrong. */
type Wrong = (right: OpenOutbox, userId: string, store: MemoryOutbox) => Partial<OpenOutbox>;

const withId = ({ place: [outbox], id, ...rest }: StoredMessage): StoredMessage => ({
  ...{ ...rest, id },
  place: [outbox, [...id].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7)],
});

/** Stores that are wrong in one way each; the suite has to notice every one. */
export const wrongStores: { readonly [name: string]: Wrong } = {
  'keeps nothing': () => ({ put: async () => undefined }),
  'keeps one of each put': (right) => ({ put: (all) => right.put(all.slice(0, 1)) }),
  'removes nothing': () => ({ remove: async () => undefined }),
  'removes all of an outbox': (right, _user, store) => ({
    remove: async (places) => {
      const outboxes = places.map(([outbox]) => outbox);
      await right.remove(
        store.messages.map(({ place }) => place).filter(([outbox]) => outboxes.includes(outbox)),
      );
    },
  }),
  'complains of a place where nothing is': (right, _user, store) => ({
    remove: async (places) => {
      for (const [outbox, n] of places) {
        if (!store.messages.some(({ place }) => place[0] === outbox && place[1] === n))
          throw new Error('not there');
      }
      await right.remove(places);
    },
  }),
  'the newest first': (right) => ({ adopt: async () => [...(await right.adopt())].reverse() }),
  'in the order of their numbers': (right) => ({
    adopt: async () => [...(await right.adopt())].sort((one, other) => one.place[1] - other.place[1]),
  }),
  'takes the id for the place': (right) => ({ put: (all) => right.put(all.map(withId)) }),
  'what is put again goes to the end': (right) => ({
    put: async (all) => {
      await right.remove(all.map(({ place }) => place));
      await right.put(all);
    },
  }),
  'bytes become text': (right) => ({
    put: (all) => right.put(all.map((one) => ({ ...one, encoded: String(one.encoded) }))),
  }),
  'forgets when it was written': (right) => ({
    put: (all) => right.put(all.map((one) => ({ ...one, written: undefined }))),
  }),
  'adopts from the living': (right, _user, store) => ({
    adopt: async () => {
      store.abandon();
      return right.adopt();
    },
  }),
  'keeps what it has when it closes': () => ({ close: async () => undefined }),
  'has something that nobody has put there': (right) => ({
    adopt: async () => {
      const all = await right.adopt();
      const stray = { id: 'x', event: 'x', sentAt: 1, codec: 'json', encoded: 'x', place: ['x', 1] as const };
      return all.length > 0 ? all : [stray];
    },
  }),
  'complains where nothing is put': (right) => ({
    put: async (all) => {
      if (all.length === 0) throw new Error('nothing');
      await right.put(all);
    },
  }),
  'is of no particular user': (right, _user, store) => ({
    adopt: async () => {
      await right.adopt();
      return store.messages;
    },
  }),
};

/** A program in which every outbox is wrong in this way. */
export const wrongly =
  (wrong: Wrong) =>
  (right: OpenOutbox, userId: string, store: MemoryOutbox): OpenOutbox => ({
    ...right,
    ...wrong(right, userId, store),
  });
