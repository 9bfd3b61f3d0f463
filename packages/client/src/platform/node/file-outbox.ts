import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OpenOutbox, OutboxStore, StoredMessage } from '../../ports/storage.js';
import { FileLock } from './file-lock.js';
import { type FileRecord, linesOf, recordsIn } from './file-records.js';

/** So much in the file may be of messages that are gone before it is written anew. */
const MAX_WASTE_BYTES = 65_536;

interface Kept {
  readonly userId: string;
  readonly message: StoredMessage;
}

/**
 * In one file, of one program at a time: lines are only ever added, each with its checksum, and are on the disk (fsync)
 * when a call resolves. A line that a crash has torn is cut off; what is in the way of reading is moved aside, and told.
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
      return {
        adopt: async () => journal.of(userId),
        put: (messages) => journal.write(messages.map((message) => ({ put: { userId, message } }))),
        remove: (ids) => journal.write([{ remove: ids }]),
        close: async () => {
          await journal.close();
          await lock.release();
        },
      };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }
}

/** The file, and what stands in it. */
class Journal {
  readonly #path: string;
  readonly #kept: Map<string, Kept>;
  #file: FileHandle;
  /** Up to where all is well. */
  #size: number;
  /** Of `#size`, what is still needed, roughly. */
  #neededBytes: number;

  private constructor(path: string, file: FileHandle, kept: Map<string, Kept>, size: number) {
    this.#path = path;
    this.#file = file;
    this.#kept = kept;
    this.#size = size;
    this.#neededBytes = linesOf(this.#records).length;
  }

  static async open(path: string): Promise<Journal> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const { records, wellBytes, damage } = recordsIn(bytes);
    const kept = new Map<string, Kept>();
    for (const record of records) apply(kept, record);
    const file = await open(path, 'a+');
    await syncFolder(path);
    const journal = new Journal(path, file, kept, wellBytes);
    // A torn end is what a crash leaves; what is damaged in the middle is kept for whoever wants to look at it.
    if (damage === 'middle') await journal.#moveAside();
    else if (wellBytes < bytes.length) await file.truncate(wellBytes);
    return journal;
  }

  of(userId: string): StoredMessage[] {
    return [...this.#kept.values()].filter((kept) => kept.userId === userId).map(({ message }) => message);
  }

  async write(records: readonly FileRecord[]): Promise<void> {
    const lines = linesOf(records);
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
    } catch (error) {
      // Half a line must not stand before the next one.
      await this.#file.truncate(this.#size);
      throw error;
    }
    this.#size += lines.length;
    for (const record of records) apply(this.#kept, record);
    this.#neededBytes = Math.min(this.#neededBytes + lines.length, this.#size);
    if (this.#size - this.#neededNow() > MAX_WASTE_BYTES) await this.#compact();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  get #records(): FileRecord[] {
    return [...this.#kept.values()].map((put) => ({ put }));
  }

  /** Counted anew only when the file may have become too long: that takes as many writes as there is waste. */
  #neededNow(): number {
    if (this.#kept.size === 0) this.#neededBytes = 0;
    else if (this.#size > 2 * MAX_WASTE_BYTES) this.#neededBytes = linesOf(this.#records).length;
    return this.#neededBytes;
  }

  /** Another file with what is needed takes the place of this one, in one step. */
  async #compact(): Promise<void> {
    const next = `${this.#path}.next`;
    const lines = linesOf(this.#records);
    const file = await open(next, 'w');
    await file.writeFile(lines);
    await file.sync();
    await file.close();
    await rename(next, this.#path);
    await syncFolder(this.#path);
    await this.#file.close();
    this.#file = await open(this.#path, 'a+');
    this.#size = lines.length;
    this.#neededBytes = lines.length;
  }

  async #moveAside(): Promise<void> {
    const lines = linesOf(this.#records);
    await this.#file.close();
    await rename(this.#path, `${this.#path}.damaged`);
    this.#file = await open(this.#path, 'a+');
    await this.#file.appendFile(lines);
    await this.#file.sync();
    await syncFolder(this.#path);
    this.#size = lines.length;
    this.#neededBytes = lines.length;
  }
}

function apply(kept: Map<string, Kept>, record: FileRecord): void {
  if ('put' in record) kept.set(record.put.message.id, record.put);
  else for (const id of record.remove) kept.delete(id);
}

/** Names of files are on the disk when their folder is. Windows does not open folders, and does not need this. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // As good as it gets here.
  }
}
