import { json } from '@holdfast/protocol';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { Lines } from '../../src/runtime/lines.js';
import { Tokens } from '../../src/runtime/tokens.js';
import type { TokenSource } from '../../src/types.js';

const dialer = {
  dial: () => {
    throw new Error('nothing is dialled here');
  },
};

function linesOf(url: string | (() => Promise<string>), auth?: TokenSource) {
  const tokens = new Tokens({ clock: new VirtualClock(0), random: seededRandom(1) }, auth);
  const lines = new Lines(dialer, { url, codec: json(), tokenIn: 'hello' }, tokens);
  const told: unknown[] = [];
  return { lines, told, prepare: (dial: number) => lines.prepare(dial, 1, (error) => told.push(error)) };
}

describe('preparing a dial', () => {
  test('an address and a token that are there are there at once', () => {
    const { lines, told, prepare } = linesOf('ws://x', 'token');
    expect(prepare(1)).toBe(true);
    expect(lines.get(1)).toMatchObject({ url: 'ws://x', token: 'token' });
    expect(told).toEqual([]);
  });

  test('one that was given up leaves nothing behind, whenever the answer comes', async () => {
    let give: (url: string) => void = () => undefined;
    const { lines, told, prepare } = linesOf(() => new Promise((resolve) => (give = resolve)));
    expect(prepare(1)).toBe(false);
    lines.hangUp(1, 1000, '');
    give('ws://late');
    await new Promise(setImmediate);
    expect(lines.get(1)).toBeUndefined();
    expect(told).toEqual([]);
  });

  test('another one meanwhile gets its own answer, and not that of the first', async () => {
    const gives: ((url: string) => void)[] = [];
    const { lines, told, prepare } = linesOf(() => new Promise((resolve) => gives.push(resolve)));
    prepare(1);
    lines.hangUp(1, 1000, '');
    prepare(2);
    gives[0]?.('ws://first');
    await new Promise(setImmediate);
    expect(lines.get(2)).toBeUndefined();
    gives[1]?.('ws://second');
    await new Promise(setImmediate);
    expect([lines.get(1), lines.get(2)?.url, told]).toEqual([undefined, 'ws://second', [undefined]]);
  });

  test('giving it up stops the asking for a token; hanging up an older line does not', () => {
    const signals: AbortSignal[] = [];
    const { lines, prepare } = linesOf('ws://x', ({ signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    prepare(2);
    lines.hangUp(1, 1000, '');
    expect(signals[0]?.aborted).toBe(false);
    lines.hangUp(2, 1000, '');
    expect(signals[0]?.aborted).toBe(true);
  });
});
