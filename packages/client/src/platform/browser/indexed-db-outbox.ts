import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { OpenOutbox, OutboxStore, StoredMessage } from '../../ports/storage.js';

/** As it lies in the database. */
interface Row extends StoredMessage {
  readonly userId: string;
  /** Which client has it in its hands; a lock of that name says whether it is still there. */
  readonly owner: string;
}
interface Schema extends DBSchema {
  messages: { key: number; value: Row; indexes: { place: [string, number]; userId: string } };
}
type Database = IDBPDatabase<Schema>;
type Writing = IDBPTransaction<Schema, ['messages'], 'readwrite'>;

/**
 * In IndexedDB, for pages and workers. A lock of the Web Locks API stands for each client that has messages in its hands:
 * the browser lets go of it when the page or worker ends, however it ends, and another one may adopt them.
 */
export class IndexedDbOutbox implements OutboxStore {
  readonly name: string;

  constructor(name: string) {
    this.name = `IndexedDB '${name}'`;
    this.#database = name;
  }

  readonly #database: string;

  async open(userId: string): Promise<OpenOutbox> {
    // Both are there in secure contexts only (https, and http on localhost).
    if (typeof indexedDB === 'undefined') throw new Error('there is no IndexedDB here');
    const { locks } = globalThis.navigator ?? {};
    if (!locks) throw new Error('there are no Web Locks here: the page has to come by https');
    const owner = `${this.#database}:${globalThis.crypto.randomUUID()}`;
    const connection = new Connection(this.#database);
    await connection.database();
    const release = await hold(locks, owner).catch((error: unknown) => {
      connection.close();
      throw error;
    });
    return {
      adopt: async () => adopt(await connection.database(), locks, userId, owner),
      put: (messages) =>
        connection.write(async ({ store }) => {
          const places = store.index('place');
          for (const message of messages) {
            const key = await places.getKey([...message.place]);
            await store.put({ ...message, userId, owner }, key);
          }
        }),
      remove: (places) =>
        connection.write(async ({ store }) => {
          const index = store.index('place');
          for (const place of places) {
            const key = await index.getKey([...place]);
            if (key !== undefined) await store.delete(key);
          }
        }),
      close: async () => {
        release();
        connection.close();
      },
    };
  }
}

/** To the database; made anew when the browser has ended it, as WebKit does to a page in the background. */
class Connection {
  readonly #name: string;
  #database: Promise<Database> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  database(): Promise<Database> {
    const forget = (): void => {
      if (this.#database === opening) this.#database = undefined;
    };
    const opening = this.#database ?? open(this.#name, forget);
    this.#database = opening;
    opening.catch(forget);
    return opening;
  }

  /** One transaction: all of it or nothing. */
  async write(run: (transaction: Writing) => Promise<void>): Promise<void> {
    const database = await this.database();
    await transact(database, run);
  }

  close(): void {
    this.#database?.then(
      (database) => database.close(),
      () => undefined,
    );
  }
}

function open(name: string, ended: () => void): Promise<Database> {
  return openDB<Schema>(name, 1, {
    upgrade(created) {
      const messages = created.createObjectStore('messages', { autoIncrement: true });
      messages.createIndex('place', 'place', { unique: true });
      messages.createIndex('userId', 'userId');
    },
    // A newer version of the page wants to change it, or somebody to delete it: they must not wait for this one.
    blocking(_current, _wanted, event) {
      (event.target as IDBDatabase).close();
      ended();
    },
    terminated: ended,
  });
}

async function transact<T>(database: Database, run: (transaction: Writing) => Promise<T>): Promise<T> {
  // What is written has to be on the disk when we are told that it is (Indexed Database API 3.0, section 2.7.1).
  const transaction = database.transaction('messages', 'readwrite', { durability: 'strict' });
  // Told by `run`, too, which is where it is looked at.
  transaction.done.catch(() => undefined);
  try {
    const result = await run(transaction);
    await transaction.done;
    return result;
  } catch (error) {
    abort(transaction);
    throw error;
  }
}

/** What throws in the middle would leave half of it. */
function abort(transaction: Writing): void {
  try {
    transaction.abort();
  } catch {
    // It has ended.
  }
}

/** Resolves when the lock is ours; what it gives lets go of it. */
function hold(locks: LockManager, name: string): Promise<() => void> {
  return new Promise((held, failed) => {
    locks.request(name, () => new Promise<void>((release) => held(release))).catch(failed);
  });
}

async function adopt(
  database: Database,
  locks: LockManager,
  userId: string,
  owner: string,
): Promise<StoredMessage[]> {
  const rows = await database.getAllFromIndex('messages', 'userId', userId);
  const owners = new Set(rows.map((row) => row.owner).filter((one) => one !== owner));
  const gone = new Set<string>();
  const held: (() => void)[] = [];
  try {
    // Whoever looks at the same time finds them locked, by us.
    for (const one of owners) {
      const release = await holdIfFree(locks, one);
      if (!release) continue;
      gone.add(one);
      held.push(release);
    }
    return await transact(database, (transaction) => takeOver(transaction, userId, owner, gone));
  } finally {
    for (const release of held) release();
  }
}

function holdIfFree(locks: LockManager, name: string): Promise<(() => void) | undefined> {
  return new Promise((held, failed) => {
    const given = (lock: Lock | null): Promise<void> | undefined => {
      if (lock) return new Promise<void>((release) => held(release));
      held(undefined);
      return undefined;
    };
    locks.request(name, { ifAvailable: true }, given).catch(failed);
  });
}

/** The oldest first. */
async function takeOver(
  { store }: Writing,
  userId: string,
  owner: string,
  gone: ReadonlySet<string>,
): Promise<StoredMessage[]> {
  const adopted: StoredMessage[] = [];
  for await (const cursor of store.index('userId').iterate(userId)) {
    if (!gone.has(cursor.value.owner)) continue;
    const { userId: _user, owner: _owner, ...message } = cursor.value;
    adopted.push(message);
    await cursor.update({ ...cursor.value, owner });
  }
  return adopted;
}
