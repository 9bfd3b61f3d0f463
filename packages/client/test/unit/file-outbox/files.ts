import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FileOutbox } from '../../../src/platform/node/file-outbox.js';
import type { StoredMessage } from '../../../src/ports/storage.js';

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-file-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const message = (n: number, encoded: StoredMessage['encoded'] = `[2,"note",${n}]`): StoredMessage => ({
  ...{ id: `id-${n}`, event: 'note', sentAt: 1_000 + n, codec: 'json', place: ['tab', n] },
  encoded,
});
export const messages = (first: number, last: number): StoredMessage[] =>
  Array.from({ length: last - first + 1 }, (_, index) => message(first + index));

/** What stands in the file: their numbers, and what is said of damage. */
export async function look(path: string, userId = 'ada') {
  const outbox = await new FileOutbox(path).open(userId);
  const numbers = (await outbox.adopt()).map(({ place }) => place[1]);
  await outbox.close();
  return { numbers, damage: outbox.damage };
}

/** Puts them, one call each, and closes. */
export async function fill(path: string, all: readonly StoredMessage[], userId = 'ada'): Promise<void> {
  const outbox = await new FileOutbox(path).open(userId);
  for (const one of all) await outbox.put([one]);
  await outbox.close();
}

/** What an attempt to open it says. */
export const refusal = (path: string): Promise<string> =>
  new FileOutbox(path).open('ada').then(
    () => 'it has opened',
    (error: Error) => error.message,
  );
