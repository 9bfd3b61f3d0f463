import { expect, test } from 'vitest';
import { randomIds } from '../../src/random-ids.js';

test('ids are of 22 characters, each of which may be any of 64, and none comes twice', () => {
  const next = randomIds((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>));
  const ids = Array.from({ length: 10_000 }, next);
  expect(new Set(ids).size).toBe(10_000);
  expect(ids.every((id) => /^[\w-]{22}$/.test(id))).toBe(true);
  for (let place = 0; place < 22; place++) {
    expect(new Set(ids.map((id) => id[place])).size, `characters in place ${place}`).toBe(64);
  }
});

test('each byte of the source is used once', () => {
  let filled = 0;
  const next = randomIds((bytes) => {
    filled++;
    bytes.fill(filled);
  });
  const ids = Array.from({ length: 256 }, next);
  expect(filled).toBe(2);
  expect(new Set(ids.slice(0, 128))).toEqual(new Set(['B'.repeat(22)]));
  expect(new Set(ids.slice(128))).toEqual(new Set(['C'.repeat(22)]));
});
