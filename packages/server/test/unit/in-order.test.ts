import { expect, test } from 'vitest';
import { InOrder } from '../../src/answer.js';

/** An answer that is given by hand. */
function later<T>() {
  let answer: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    answer = resolve;
    fail = reject;
  });
  return { promise, answer, fail };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is there at once follows at once', () => {
  expect(new InOrder().follow(1, (value) => value + 1)).toBe(2);
});

test('who has asked first goes first, whoever is answered first', async () => {
  const order = new InOrder();
  const [first, second] = [later<string>(), later<string>()];
  const seen: string[] = [];
  const note = (value: string) => void seen.push(value);
  const all = [
    order.follow(first.promise, note),
    order.follow(second.promise, note),
    order.follow('c', note),
  ];
  second.answer('b');
  await turn();
  expect(seen).toEqual([]);
  first.answer('a');
  await Promise.all(all);
  expect(seen).toEqual(['a', 'b', 'c']);
  order.follow('d', note);
  expect(seen.at(-1)).toBe('d');
});

test('what follows one is not waited for by the next', async () => {
  const order = new InOrder();
  const never = order.follow(Promise.resolve(1), () => new Promise<void>(() => undefined));
  expect(await order.follow(Promise.resolve(2), (value) => value)).toBe(2);
  expect(never).toBeInstanceOf(Promise);
});

test('one that fails is told so, and holds nobody up', async () => {
  const order = new InOrder();
  const first = later<number>();
  const failed = Promise.resolve(order.follow(first.promise, () => 0)).catch((error: Error) => error.message);
  const thrown = Promise.resolve(
    order.follow(Promise.resolve(1), () => {
      throw new Error('no');
    }),
  ).catch((error: Error) => error.message);
  const last = order.follow(Promise.resolve(2), (value) => value);
  first.fail(new Error('away'));
  expect(await Promise.all([failed, thrown, last])).toEqual(['away', 'no', 2]);
});
