import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { OpenOutbox, OutboxStore, StoredMessage } from '../../ports/storage.js';

/** As it lies in the database. */
interface Row extends StoredMessage {
  readonly userId: string;
  /** Which client has it in its hands; a lock of that name says whether it is still there. */
  readonly owner: string;
}
interface Schema extends DBSchema {
  messages: { key: number; value: Row; indexes: { id: string; userId: string } };
}
type Database = IDBPDatabase<Schema>;

/** What is written has to be on the disk when we are told that it is (Indexed Database API 3.0, section 2.7.1). */
const STRICT = { durability: 'strict' } as const;

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
    const database = await open(this.#database);
    const release = await hold(locks, owner);
    return {
      adopt: () => adopt(database, locks, userId, owner),
      put: (messages) => put(database, messages, userId, owner),
      remove: (ids) => remove(database, ids),
      close: async () => {
        release();
        database.close();
      },
    };
  }
}

async function open(name: string): Promise<Database> {
  const database = await openDB<Schema>(name, 1, {
    upgrade(created) {
      const messages = created.createObjectStore('messages', { autoIncrement: true });
      messages.createIndex('id', 'id', { unique: true });
      messages.createIndex('userId', 'userId');
    },
    // A newer version of the page wants to change it: it must not wait for this one.
    blocking: () => database.close(),
  });
  return database;
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
  // Whoever looks at the same time finds them locked, by us.
  for (const one of owners) {
    const release = await holdIfFree(locks, one);
    if (!release) continue;
    gone.add(one);
    held.push(release);
  }
  try {
    return await takeOver(database, userId, owner, gone);
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

/** One transaction; the oldest first. */
async function takeOver(
  database: Database,
  userId: string,
  owner: string,
  gone: ReadonlySet<string>,
): Promise<StoredMessage[]> {
  const transaction = database.transaction('messages', 'readwrite', STRICT);
  const adopted: StoredMessage[] = [];
  for await (const cursor of transaction.store.index('userId').iterate(userId)) {
    if (!gone.has(cursor.value.owner)) continue;
    const { userId: _user, owner: _owner, ...message } = cursor.value;
    adopted.push(message);
    await cursor.update({ ...cursor.value, owner });
  }
  await transaction.done;
  return adopted;
}

async function put(
  database: Database,
  messages: readonly StoredMessage[],
  userId: string,
  owner: string,
): Promise<void> {
  const transaction = database.transaction('messages', 'readwrite', STRICT);
  const ids = transaction.store.index('id');
  for (const message of messages) {
    const key = await ids.getKey(message.id);
    await transaction.store.put({ ...message, userId, owner }, key);
  }
  await transaction.done;
}

async function remove(database: Database, ids: readonly string[]): Promise<void> {
  const transaction = database.transaction('messages', 'readwrite', STRICT);
  const index = transaction.store.index('id');
  for (const id of ids) {
    const key = await index.getKey(id);
    if (key !== undefined) await transaction.store.delete(key);
  }
  await transaction.done;
}
