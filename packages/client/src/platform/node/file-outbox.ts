import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OpenOutbox, OutboxStore } from '../../ports/storage.js';
import { FileLock } from './file-lock.js';
import { Journal } from './journal.js';

/**
 * In one file, of one program at a time: lines are only ever added, each with its checksum, and are on the disk (fsync)
 * when a call resolves. A line that a crash has torn is cut off. A file that is damaged otherwise is kept as
 * `<path>.damaged`, what can be read in it goes on, and the application is told.
 */
export class FileOutbox implements OutboxStore {
  readonly name: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.name = `the file '${path}'`;
  }

  async open(userId: string): Promise<OpenOutbox> {
    await mkdir(dirname(this.#path), { recursive: true });
    const lock = await FileLock.take(`${this.#path}.lock`);
    try {
      const journal = await Journal.open(this.#path);
      // Nobody else can leave anything as long as the lock is ours.
      const left = journal.of(userId);
      return {
        damage: journal.damage,
        adopt: async () => left.splice(0),
        put: (messages) => journal.write({ userId, put: messages }),
        remove: (places) => journal.write({ remove: places }),
        close: async () => {
          await journal.close().finally(() => lock.release());
        },
      };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }
}
