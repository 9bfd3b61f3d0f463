/** Where durable messages are kept in Node: a file. */
import { checkKeys, checkType } from '@holdfast/protocol';
import type { OutboxStorage } from './core/types.js';
import { StoredOutbox } from './durable/durable-outbox.js';
import { FileOutbox } from './platform/node/file-outbox.js';

export interface FileOutboxOptions {
  /** The file; it and its folder are made when they are needed. One program at a time may have it. */
  path: string;
  /**
   * Whose outbox this is, where that is known before the server says so: then messages are stored at once, also offline.
   * Must be the user id that the server's `auth` gives. Default: whoever the first session names.
   */
  userId?: string | undefined;
}

/**
 * In a file, for Node: messages outlive the process, however it ends. Throws a `TypeError` for a bad option; a file that
 * cannot be had, or that another program has, is an `ERR_STORAGE` of each `stored`.
 */
export function fileOutbox(options: FileOutboxOptions): OutboxStorage {
  checkKeys(options, ['path', 'userId'], 'fileOutbox(options)');
  const { path, userId } = options;
  if (typeof path !== 'string' || path === '')
    throw new TypeError('fileOutbox(options): path must name a file');
  checkType(userId, 'string', 'fileOutbox(options): userId');
  const store = new FileOutbox(path);
  return { name: store.name, open: (around) => new StoredOutbox(store, userId, around) };
}
