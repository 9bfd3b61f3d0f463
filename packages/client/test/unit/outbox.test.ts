import { describe, expect, test } from 'vitest';
import { Outbox } from '../../src/core/outbox.js';
import type { Message } from '../../src/core/types.js';
import { putFirst } from '../../src/durable/order.js';

function message(id: string, bytes = 10): Message {
  return {
    kind: 'event',
    delivery: 'reliable',
    hold: 'none',
    id,
    event: 'e',
    payload: id,
    sentAt: 0,
    encoded: id,
    bytes,
    numbers: 1,
    no: 0,
    seq: 0,
    expiresAt: Infinity,
    deadlineAt: Infinity,
    writtenAt: undefined,
    outcome: { resolve: () => undefined, reject: () => undefined },
  };
}
const upTo = (messages: number, bytes: number, requests = 10, alone = false) =>
  [messages, bytes, requests, alone] as const;
const going = (outbox: Outbox, next: Message) => {
  const all = outbox.tooMuchFor(next);
  return all ? ids(all) : 'nothing helps';
};
const ids = (messages: readonly Message[]) => messages.map(({ id }) => id).join('');

describe('the outbox', () => {
  test('keeps order, and gives what fits the window', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    for (const id of 'abcde') outbox.push(message(id));
    expect(ids(outbox.take(...upTo(2, 1_000)))).toBe('ab');
    expect(ids(outbox.take(...upTo(10, 15)))).toBe('c');
    expect(ids(outbox.take(...upTo(10, 5)))).toBe('');
    expect(ids(outbox.take(...upTo(0, 1_000)))).toBe('');
    expect(ids(outbox.take(...upTo(10, 1_000)))).toBe('de');
    expect([outbox.messages, outbox.bytes]).toEqual([0, 0]);
  });

  test('with nothing unacknowledged it gives one message of any size, and no more', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    for (const id of 'abc') outbox.push(message(id));
    expect(ids(outbox.take(...upTo(10, 5, 10, true)))).toBe('a');
    expect(ids(outbox.take(...upTo(10, 25, 10, true)))).toBe('bc');
  });

  test('gives no more requests than may be without an answer, and nothing past one that has to wait', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    for (const id of 'abcd') outbox.push({ ...message(id), kind: id === 'a' ? 'event' : 'request' });
    expect(ids(outbox.take(...upTo(10, 1_000, 2)))).toBe('abc');
    expect(ids(outbox.take(...upTo(10, 1_000, 0)))).toBe('');
    expect(ids(outbox.take(...upTo(10, 1_000, 1)))).toBe('d');
  });

  test('lets first what the rest depends on', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    outbox.push(message('c'));
    outbox.pushFirst([message('a'), message('b')]);
    expect(outbox.bytes).toBe(30);
    expect(ids(outbox.take(...upTo(10, 1_000)))).toBe('abc');
  });

  test('lets what is restored before all else, but no message before the join of its room', () => {
    const outbox = new Outbox({ maxMessages: 20, maxBytes: 1_000 });
    const join = (id: string, room: string) => ({
      ...message(id),
      kind: 'request' as const,
      event: '$join',
      room,
    });
    for (const one of [join('A', 'a'), message('x'), join('B', 'b'), message('y')]) outbox.push(one);
    const left = [
      { ...message('1'), room: 'b' },
      message('2'),
      { ...message('3'), room: 'a' },
      { ...message('4'), room: 'c' },
      { ...message('5'), room: 'b' },
    ];
    outbox.rearrange((waiting) => putFirst(waiting, left));
    expect(outbox.bytes).toBe(90);
    expect(ids(outbox.take(...upTo(20, 1_000)))).toBe('A234xB15y');
    expect(outbox.bytes).toBe(0);
  });

  test('is bounded in messages and in bytes', () => {
    const byCount = new Outbox({ maxMessages: 2, maxBytes: 1_000 });
    byCount.push(message('a'));
    expect(going(byCount, message('x'))).toBe('');
    byCount.push(message('b'));
    expect(going(byCount, message('x'))).toBe('a');
    const byBytes = new Outbox({ maxMessages: 10, maxBytes: 25 });
    for (const id of 'ab') byBytes.push(message(id));
    expect([5, 6, 15, 16, 25].map((bytes) => going(byBytes, message('x', bytes)))).toEqual([
      ...['', 'a', 'a', 'ab', 'ab'],
    ]);
    expect(going(byBytes, message('x', 26))).toBe('nothing helps');
  });

  test("what the protocol itself asks for is never in anybody's way", () => {
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 1_000 });
    outbox.push({ ...message('j'), event: '$join' });
    outbox.push(message('a'));
    expect(going(outbox, message('x'))).toBe('a');
    outbox.push({ ...message('l'), event: '$leave' });
    expect(going(outbox, message('x'))).toBe('nothing helps');
  });

  test('a newer one takes the place of an older one, and of nobody else', () => {
    const outbox = new Outbox({ maxMessages: 3, maxBytes: 40 });
    const placed = (id: string, slot: string, bytes = 10) => ({ ...message(id, bytes), slot });
    const all = [placed('a', 'x'), message('b'), placed('c', 'y')];
    for (const one of all) expect(outbox.push(one)).toBeUndefined();
    expect(going(outbox, placed('d', 'x', 20))).toBe('');
    expect(going(outbox, placed('d', 'x', 21))).toBe('b');
    expect(outbox.push(placed('d', 'x', 20))).toBe(all[0]);
    expect([outbox.messages, outbox.bytes]).toEqual([3, 40]);
    expect(ids(outbox.take(...upTo(1, 1_000)))).toBe('d');
    expect(outbox.push(placed('e', 'x'))).toBeUndefined();
    expect(ids(outbox.take(...upTo(9, 1_000)))).toBe('bce');
    expect(outbox.bytes).toBe(0);
  });

  test('forgets what is taken back, once', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    const [a, b] = [message('a'), message('b')];
    outbox.push(a);
    outbox.push(b);
    expect([outbox.remove(a), outbox.remove(a)]).toEqual([true, false]);
    expect([outbox.messages, outbox.bytes, ids(outbox.take(...upTo(9, 99)))]).toEqual([1, 10, 'b']);
  });
});
