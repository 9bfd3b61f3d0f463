import { expect, test } from 'vitest';
import { Incarnations } from '../../src/incarnations.js';

const setUp = (...names: readonly string[]) => {
  let node = 'master';
  const rest = [...names];
  const incarnations = new Incarnations(
    () => node,
    async () => rest.shift() ?? 'none',
  );
  return { incarnations, says: (name: string) => (node = name), left: rest };
};

test('a node is asked once', async () => {
  const { incarnations, left } = setUp('i1', 'i2');
  expect([await incarnations.of('a'), await incarnations.of('b'), left]).toEqual(['i1', 'i1', ['i2']]);
});

test('one that is over is asked for anew, whichever node is said to have the key meanwhile', async () => {
  const { incarnations, says } = setUp('i1', 'i2');
  await incarnations.of('a');
  says('replica');
  incarnations.forget('i1');
  // Somebody who had not heard of it yet was asked for the nodes.
  says('master');
  expect(await incarnations.of('a')).toBe('i2');
});

test('others are remembered', async () => {
  const { incarnations, says } = setUp('i1', 'i2', 'i3');
  await incarnations.of('a');
  says('another');
  await incarnations.of('b');
  incarnations.forget('i1');
  expect(await incarnations.of('b')).toBe('i2');
  says('master');
  expect(await incarnations.of('a')).toBe('i3');
});
