import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { kill, pid } from 'node:process';

/** What this program holds: another program has another pid, and the same one might ask twice. */
const held = new Set<string>();

/**
 * A file that names the process that has it. One whose process is gone counts for nothing: a kill leaves it behind. (Node
 * has no locks that end with their process.)
 */
export class FileLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Rejects if somebody else has it. */
  static async take(given: string): Promise<FileLock> {
    const path = resolve(given);
    if (held.has(path)) throw new Error('another client of this program has it');
    held.add(path);
    try {
      while (!(await create(path))) await remove(path);
      return new FileLock(path);
    } catch (error) {
      held.delete(path);
      throw error;
    }
  }

  async release(): Promise<void> {
    await unlink(this.#path).catch(() => undefined);
    held.delete(this.#path);
  }
}

/** False if it is there. It is never there without its content. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${pid}`;
  await writeFile(draft, String(pid));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** Removes one that a process which is gone has left; rejects if its process is there. */
async function remove(path: string): Promise<void> {
  const owner = Number(await readFile(path, 'utf8').catch(() => ''));
  // Ours can only be that of a process before this one: in a container they all have the same pid.
  if (owner > 0 && owner !== pid && isRunning(owner)) {
    throw new Error(`the process ${owner} has it (if that is another program by now, remove '${path}')`);
  }
  await unlink(path).catch(() => undefined);
}

function isRunning(process: number): boolean {
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
