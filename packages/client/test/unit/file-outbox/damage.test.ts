import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileOutbox } from '../../../src/platform/node/file-outbox.js';
import { fill, folder, look, message, messages } from './files.js';

describe('an end that a crash has torn', () => {
  test('cut at each byte of its last record: what was whole is there, nothing is said, and writing goes on', async () => {
    const path = join(folder(), 'outbox');
    await fill(path, messages(1, 2));
    const whole = statSync(path).size;
    await fill(path, [message(3, 'é☕')]);
    const bytes = readFileSync(path);
    for (let cut = whole; cut < bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      expect([cut, await look(path)]).toEqual([cut, { numbers: [1, 2], damage: undefined }]);
      expect(statSync(path).size).toBe(whole);
      await fill(path, [message(4)]);
      expect([cut, await look(path)]).toEqual([cut, { numbers: [1, 2, 4], damage: undefined }]);
    }
    expect(bytes.length - whole).toBeGreaterThan(100);
  });

  test('one call of several messages: all of them or none', async () => {
    const path = join(folder(), 'outbox');
    const outbox = await new FileOutbox(path).open('ada');
    await outbox.put([message(1)]);
    const before = statSync(path).size;
    await outbox.put(messages(2, 4));
    await outbox.close();
    const bytes = readFileSync(path);
    for (let cut = before; cut < bytes.length; cut += 7) {
      writeFileSync(path, bytes.subarray(0, cut));
      expect([cut, (await look(path)).numbers]).toEqual([cut, [1]]);
    }
  });

  test('an empty file, and one with half a line only', async () => {
    const path = join(folder(), 'outbox');
    for (const content of ['', 'x', '0123456789abcdef {"userId":']) {
      writeFileSync(path, content);
      expect(await look(path)).toEqual({ numbers: [], damage: undefined });
    }
  });
});

describe('a file that is damaged otherwise', () => {
  const damaged = async (change: (lines: string[]) => void) => {
    const path = join(folder(), 'outbox');
    await fill(path, messages(1, 4));
    const lines = readFileSync(path, 'utf8').split('\n');
    change(lines);
    writeFileSync(path, lines.join('\n'));
    return { path, content: readFileSync(path, 'utf8') };
  };

  const changed = (line: number, from: string | RegExp, to: string) => (lines: string[]) =>
    void lines.splice(line, 1, lines[line]?.replace(from, to) ?? '');

  test.each<[string, (lines: string[]) => void, number[]]>([
    ['a changed letter in the middle', changed(1, 'note', 'nope'), [1, 3, 4]],
    ['a changed letter in the last line', changed(3, 'note', 'nope'), [1, 2, 3]],
    ['a changed checksum in the first line', changed(0, /^./, 'x'), [2, 3, 4]],
    ['a lost line feed', (lines) => void lines.splice(1, 2, `${lines[1]}${lines[2]}`), [1, 4]],
    ['zeros', (lines) => void lines.splice(2, 0, '\0'.repeat(4_096)), [1, 2, 3, 4]],
    ['lines of somebody else', (lines) => void lines.splice(0, 4, 'Dear diary,', 'today', ''), []],
  ])('%s: is kept aside and told, what can be read goes on', async (_what, change, left) => {
    const { path, content } = await damaged(change);
    const { numbers, damage } = await look(path);
    expect(numbers).toEqual(left);
    expect(damage).toMatch(/^\d+ of its lines cannot be read; it is kept as '.*outbox\.damaged'$/);
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(content);
    // It is whole again.
    expect(await look(path)).toEqual({ numbers: left, damage: undefined });
    await fill(path, [message(9)]);
    expect(await look(path)).toEqual({ numbers: [...left, 9], damage: undefined });
  });

  test('any byte of it changed: the rest is there, and it is told', async () => {
    const path = join(folder(), 'outbox');
    await fill(path, messages(1, 3));
    const bytes = readFileSync(path);
    const [first = 0, second = 0] = [...bytes.entries()]
      .filter(([, byte]) => byte === 0x0a)
      .map(([at]) => at);
    for (let at = first + 1; at < second; at += 3) {
      const one = Buffer.from(bytes);
      one[at] = (one[at] ?? 0) ^ 0x55;
      writeFileSync(path, one);
      const { numbers, damage } = await look(path);
      expect([at, numbers, typeof damage]).toEqual([at, [1, 3], 'string']);
    }
  });
});

test('all of its files have names that every system knows, and nobody else may read them', async () => {
  const home = folder();
  const path = join(home, 'deep', 'outbox.log');
  const outbox = await new FileOutbox(path).open('ada');
  expect(readdirSync(join(home, 'deep')).sort()).toEqual(['outbox.log', 'outbox.log.lock']);
  await outbox.close();
  writeFileSync(path, 'not\nours\n');
  await look(path);
  expect(readdirSync(join(home, 'deep')).sort()).toEqual(['outbox.log', 'outbox.log.damaged']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.next`)).toBe(false);
});
