import { statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { FileOutbox } from '../../../src/platform/node/file-outbox.js';
import { fill, folder, look, message, messages } from './files.js';

/** What is called on every open file, in order. */
async function spied(path: string) {
  const handle = await open(`${path}.any`, 'w');
  const kind = Object.getPrototypeOf(handle) as { [name: string]: (...args: unknown[]) => Promise<unknown> };
  await handle.close();
  const log: string[] = [];
  const fail: { on: readonly string[] } = { on: [] };
  for (const name of ['appendFile', 'datasync', 'sync', 'truncate', 'writeFile']) {
    const right = kind[name];
    const spy = vi.spyOn(kind, name).mockImplementation(async function (this: unknown, ...args) {
      log.push(name);
      if (fail.on.includes(name)) throw new Error('ENOSPC: no space left on device');
      const value = await right?.apply(this, args);
      log.push(`${name} done`);
      return value;
    });
    onTestFinished(() => spy.mockRestore());
  }
  return { log, fail };
}

test('a put resolves when it is on the disk, and not before', async () => {
  const path = join(folder(), 'outbox');
  const outbox = await new FileOutbox(path).open('ada');
  const { log } = await spied(path);
  await outbox.put([message(1)]);
  expect(log.splice(0)).toEqual(['appendFile', 'appendFile done', 'datasync', 'datasync done']);
  await outbox.remove([['tab', 1]]);
  expect(log.splice(0)).toEqual(['appendFile', 'appendFile done', 'datasync', 'datasync done']);
  await outbox.close();
});

describe('a disk that is full', () => {
  test.each(['appendFile', 'datasync'])(
    'at %s: the put fails, the rest stays, and later puts are as before',
    async (on) => {
      const path = join(folder(), 'outbox');
      const outbox = await new FileOutbox(path).open('ada');
      await outbox.put([message(1)]);
      const { fail } = await spied(path);
      fail.on = [on];
      await expect(outbox.put([message(2)])).rejects.toThrow('ENOSPC');
      await expect(outbox.remove([['tab', 1]])).rejects.toThrow('ENOSPC');
      fail.on = [];
      await outbox.put([message(3)]);
      await outbox.close();
      expect(await look(path)).toEqual({ numbers: [1, 3], damage: undefined });
    },
  );

  test('with more written than is reported, which cannot be cut off: the next put does that first', async () => {
    const path = join(folder(), 'outbox');
    const outbox = await new FileOutbox(path).open('ada');
    await outbox.put([message(1)]);
    const { fail } = await spied(path);
    fail.on = ['datasync', 'truncate'];
    await expect(outbox.put([message(2)])).rejects.toThrow('ENOSPC');
    writeFileSync(path, 'half a li', { flag: 'a' });
    fail.on = [];
    await outbox.put([message(3)]);
    await outbox.close();
    expect(await look(path)).toEqual({ numbers: [1, 3], damage: undefined });
  });

  test('where only the rewriting fails, the puts do not', async () => {
    const path = join(folder(), 'outbox');
    const outbox = await new FileOutbox(path).open('ada');
    const { fail } = await spied(path);
    fail.on = ['writeFile'];
    const large = 'x'.repeat(50_000);
    for (let n = 1; n <= 20; n++) {
      await outbox.put([message(n, large)]);
      if (n < 20) await outbox.remove([['tab', n]]);
    }
    fail.on = [];
    await outbox.close();
    expect((await look(path)).numbers).toEqual([20]);
  });
});

describe('the file is rewritten when it has grown', () => {
  test('20,000 puts and removals: it stays short, and what is there is there', {
    timeout: 120_000,
  }, async () => {
    const path = join(folder(), 'outbox');
    const outbox = await new FileOutbox(path).open('ada');
    // What this is about is not how long the disk takes.
    const { log } = await spiedWithoutDisk(path);
    await outbox.put(messages(1, 20));
    let longest = 0;
    for (let n = 21; n <= 10_020; n++) {
      await outbox.put([message(n)]);
      await outbox.remove([['tab', n - 20]]);
      if (n % 50 === 0) longest = Math.max(longest, statSync(path).size);
    }
    await outbox.close();
    expect(longest).toBeLessThan(80_000);
    expect(log.filter((name) => name === 'writeFile').length).toBeLessThan(100);
    expect((await look(path)).numbers).toEqual(messages(10_001, 10_020).map(({ place }) => place[1]));
  });

  test('one that is needed whole is not rewritten each time', async () => {
    const path = join(folder(), 'outbox');
    const outbox = await new FileOutbox(path).open('ada');
    const { log } = await spiedWithoutDisk(path);
    for (let n = 1; n <= 400; n++) await outbox.put([message(n, 'x'.repeat(1_000))]);
    expect(log.filter((name) => name === 'writeFile').length).toBeLessThan(5);
    for (let n = 1; n <= 400; n++) await outbox.remove([['tab', n]]);
    expect(statSync(path).size).toBeLessThan(80_000);
    await outbox.close();
  });

  test('what a crash in the middle of it has left is no harm', async () => {
    const path = join(folder(), 'outbox');
    await fill(path, messages(1, 2));
    writeFileSync(`${path}.next`, 'half of a fi');
    expect(await look(path)).toEqual({ numbers: [1, 2], damage: undefined });
    await fill(
      path,
      messages(3, 200).map(({ place: [, n] }) => message(n, 'x'.repeat(1_000))),
    );
    expect((await look(path)).numbers).toHaveLength(200);
  });

  test('two users in one file: each keeps what is its own', async () => {
    const path = join(folder(), 'outbox');
    await fill(path, [{ ...message(1), place: ['other', 1] }], 'bob');
    const outbox = await new FileOutbox(path).open('ada');
    for (let n = 2; n <= 90; n++) {
      await outbox.put([message(n, 'x'.repeat(1_000))]);
      await outbox.remove([['tab', n - 1]]);
    }
    await outbox.close();
    expect([(await look(path, 'bob')).numbers, (await look(path, 'ada')).numbers]).toEqual([[1], [90]]);
  });
});

async function spiedWithoutDisk(path: string) {
  const spies = await spied(path);
  const handle = await open(`${path}.any`, 'w');
  const kind = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
  await handle.close();
  const spy = vi.spyOn(kind, 'datasync').mockResolvedValue(undefined);
  onTestFinished(() => spy.mockRestore());
  return spies;
}
