import { copyFile, type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OutboxPlace } from '@holdfast/protocol';
import type { StoredMessage } from '../../ports/storage.js';
import { type FileRecord, linesOf, recordsIn } from './file-records.js';

/** A file that is no longer than this is not written anew, whatever of it is gone. */
const SHORT_BYTES = 65_536;
/** What messages say is nobody else's business. */
const MODE = 0o600;

interface Kept {
  readonly userId: string;
  readonly message: StoredMessage;
}

/** A file of records, and what stands in it. */
export class Journal {
  readonly #path: string;
  readonly #kept = new Map<string, Kept>();
  #file: FileHandle;
  /** Up to where all is well. */
  #size: number;
  /** What was needed when the file was written anew last; it may be twice as long before that is done again. */
  #neededBytes: number;
  /** One write after the other: whoever does not wait for the first must not come between its lines. */
  #last: Promise<unknown> = Promise.resolve();
  /** What was wrong with the file; absent: nothing that a crash could not leave. */
  readonly damage: string | undefined;

  private constructor(path: string, file: FileHandle, bytes: Buffer) {
    const { records, wellBytes, damagedLines } = recordsIn(bytes);
    for (const record of records) this.#apply(record);
    this.#path = path;
    this.#file = file;
    this.#size = wellBytes;
    this.#neededBytes = linesOf(this.#records).length;
    if (damagedLines > 0) {
      this.damage = `${damagedLines} of its lines cannot be read; it is kept as '${path}.damaged'`;
    }
  }

  static async open(path: string): Promise<Journal> {
    const file = await open(path, 'a+', MODE);
    try {
      const journal = new Journal(path, file, await readFile(path));
      await syncFolder(path);
      if (journal.damage !== undefined) await journal.#leaveDamage();
      else await journal.#cut();
      return journal;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  of(userId: string): StoredMessage[] {
    return [...this.#kept.values()].filter((kept) => kept.userId === userId).map(({ message }) => message);
  }

  /** All of it or nothing. */
  write(record: FileRecord): Promise<void> {
    const written = this.#last.then(() => this.#write(record));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #write(record: FileRecord): Promise<void> {
    const lines = linesOf([record]);
    await this.#cut();
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
    } catch (error) {
      await this.#cut().catch(() => undefined);
      throw error;
    }
    this.#size += lines.length;
    this.#apply(record);
    const needed = this.#kept.size === 0 ? 0 : this.#neededBytes;
    if (this.#size <= SHORT_BYTES + 2 * needed) return;
    // The record is written in any case; where there is no place for another file, this one goes on growing.
    await this.#rewrite().catch(() => {
      this.#neededBytes = this.#size;
    });
  }

  #apply(record: FileRecord): void {
    if ('put' in record) {
      const { userId, put } = record;
      for (const message of put) this.#kept.set(keyOf(message.place), { userId, message });
    } else {
      for (const place of record.remove) this.#kept.delete(keyOf(place));
    }
  }

  get #records(): FileRecord[] {
    return [...this.#kept.values()].map(({ userId, message }) => ({ userId, put: [message] }));
  }

  /** Half a line, of a write that failed or of a crash, must not stand before the next one. */
  async #cut(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > this.#size) await this.#file.truncate(this.#size);
  }

  /** Another file with what is needed takes the place of this one, in one step. */
  async #rewrite(): Promise<void> {
    const next = `${this.#path}.next`;
    const lines = linesOf(this.#records);
    const file = await open(next, 'w', MODE);
    try {
      await file.writeFile(lines);
      await file.sync();
    } finally {
      await file.close();
    }
    // Windows renames nothing onto an open file.
    await this.#file.close();
    try {
      await rename(next, this.#path);
      this.#size = lines.length;
      this.#neededBytes = lines.length;
      await syncFolder(this.#path);
    } finally {
      this.#file = await open(this.#path, 'a+', MODE);
    }
  }

  /** At every moment one of the two has what can be read. */
  async #leaveDamage(): Promise<void> {
    await copyFile(this.#path, `${this.#path}.damaged`);
    await this.#rewrite();
  }
}

const keyOf = ([outbox, n]: OutboxPlace): string => `${n} ${outbox}`;

/** Names of files are on the disk when their folder is. Windows does not open folders, and does not need this. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // As good as it gets here.
  }
}
