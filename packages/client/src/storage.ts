/** Where durable messages are kept: IndexedDB, for pages and workers, or memory. A file for Node: `…/storage/file`. */
import { checkFunctions, checkKeys, checkName, checkType } from '@holdfast/protocol';
import type { OutboxStorage } from './core/types.js';
import { StoredOutbox } from './durable/durable-outbox.js';
import { MemoryOutbox } from './durable/memory-outbox.js';
import { IndexedDbOutbox } from './platform/browser/indexed-db-outbox.js';
import type { OutboxStore } from './ports/storage.js';

export interface StorageOptions {
  /**
   * Whose outbox this is, where that is known before the server says so: then messages are stored at once, also offline.
   * Must be the user id that the server's `auth` gives. Default: whoever the first session names.
   */
  userId?: string | undefined;
}

export interface IndexedDbOptions extends StorageOptions {
  /** Of the database; default `holdfast-outbox`. */
  name?: string | undefined;
}

/**
 * In IndexedDB: messages outlive the page, the tab and the browser. Several tabs may use the same one: each sends its own
 * messages, and those of tabs that are gone. Needs a secure context (https, or http on localhost). Throws a `TypeError`
 * for a bad option; a database that cannot be had is an `ERR_STORAGE` of each `stored`.
 */
export function indexedDbOutbox(options: IndexedDbOptions = {}): OutboxStorage {
  checkKeys(options, ['name', 'userId'], 'indexedDbOutbox(options)');
  const { name = 'holdfast-outbox' } = options;
  checkName(name, 'indexedDbOutbox(options): name');
  return outboxOn(new IndexedDbOutbox(name), options);
}

/** In memory: outlives a client, not the program. For tests. */
export function memoryOutbox(
  options: StorageOptions & { store?: MemoryOutbox | undefined } = {},
): OutboxStorage {
  checkKeys(options, ['userId', 'store'], 'memoryOutbox(options)');
  return outboxOn(options.store ?? new MemoryOutbox(), options);
}

/** In a store of your own making, such as SQLite or the storage of a phone: see `OutboxStore`. */
export function outboxOn(store: OutboxStore, { userId }: StorageOptions = {}): OutboxStorage {
  checkFunctions(store, ['open'], 'outbox storage: store');
  checkType(userId, 'string', 'outbox storage: userId');
  return { name: store.name, open: (client) => new StoredOutbox(store, userId, client) };
}

export type { OutboxStorage } from './core/types.js';
export { MemoryOutbox } from './durable/memory-outbox.js';
export type { OpenOutbox, OutboxStore, StoredMessage } from './ports/storage.js';
