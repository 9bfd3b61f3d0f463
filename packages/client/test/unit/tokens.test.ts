import { RejectError } from '@holdfast/protocol';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { Tokens } from '../../src/runtime/tokens.js';
import type { TokenSource } from '../../src/types.js';

type Ask = Parameters<Exclude<TokenSource, string>>[0];

/** Tokens from a source that gives `t1`, `t2` … and writes down what it was asked. */
function counted(answer: (n: number, ask: Ask) => unknown = (n) => `t${n}`, fraction?: number) {
  const clock = new VirtualClock(0);
  const asked: Ask[] = [];
  const source = ((ask: Ask) => answer(asked.push(ask), ask)) as TokenSource;
  const random = fraction === undefined ? seededRandom(1) : { fraction: () => fraction };
  const tokens = new Tokens({ clock, random: { ...seededRandom(1), ...random } }, source);
  return { clock, asked, tokens, source, reasons: () => asked.map(({ reason }) => reason) };
}

/** The text of an answer, or code and message of its error. */
const outcome = (answer: unknown): Promise<string> =>
  Promise.resolve(answer).then(
    (token) => `${token}`,
    ({ code, message }) => `${code}: ${message}`,
  );

describe('a text', () => {
  test('is there at once, is never asked for and cannot be renewed', () => {
    const clock = new VirtualClock(0);
    const tokens = new Tokens({ clock, random: seededRandom(1) }, 'fixed');
    expect(tokens.get()).toBe('fixed');
    expect(tokens.canRenew).toBe(false);
    tokens.accepted(1_000);
    expect(tokens.refreshAt).toBe(Infinity);
    tokens.rejected();
    expect(tokens.get()).toBe('fixed');
  });

  test('none at all is a guest', () => {
    const tokens = new Tokens({ clock: new VirtualClock(0), random: seededRandom(1) });
    expect(tokens.get()).toBeUndefined();
    expect(tokens.canRenew).toBe(false);
  });
});

describe('a function', () => {
  test('is called once at a time, whoever asks meanwhile', async () => {
    let give: (token: string) => void = () => undefined;
    const { tokens, asked } = counted(() => new Promise((resolve) => (give = resolve)));
    const answers = [tokens.get(), tokens.get(), tokens.refresh()];
    expect(asked).toHaveLength(1);
    give('one');
    expect(await Promise.all(answers)).toEqual(['one', 'one', 'one']);
    expect(asked).toHaveLength(1);
  });

  test('is not called again for a token that has not been refused, however many attempts there are', async () => {
    const { tokens, asked, clock } = counted();
    await tokens.get();
    await clock.advance(86_400_000);
    expect(tokens.get()).toBe('t1');
    expect(asked).toHaveLength(1);
  });

  test.each([
    [0, 72_000],
    [0.5, 80_000],
    [0.999_999, 88_000],
  ])(
    'is called again when 80 %% of the time have passed, give or take a tenth: %d',
    async (fraction, due) => {
      const { tokens, clock, reasons } = counted(undefined, fraction);
      await tokens.get();
      tokens.accepted(100_000);
      expect(Math.round(tokens.refreshAt)).toBe(due);
      await clock.advance(due - 1);
      expect(tokens.get()).toBe('t1');
      await clock.advance(2);
      expect(await tokens.get()).toBe('t2');
      expect(reasons()).toEqual(['connect', 'connect']);
    },
  );

  test('a token without an end is good for ever', async () => {
    const { tokens } = counted();
    await tokens.get();
    tokens.accepted();
    expect(tokens.refreshAt).toBe(Infinity);
  });

  test('a server that says "expires at once" makes no storm of refreshes', async () => {
    const { tokens, clock } = counted();
    await tokens.get();
    tokens.accepted(0);
    expect(tokens.refreshAt - clock.now()).toBeGreaterThanOrEqual(1_000);
  });

  test('learns why: to connect, because it expires, because it was refused', async () => {
    const { tokens, reasons } = counted();
    await tokens.get();
    tokens.accepted(100_000);
    expect(await tokens.refresh()).toBe('t2');
    tokens.accepted(100_000);
    tokens.rejected();
    expect(await tokens.get()).toBe('t3');
    tokens.accepted(100_000);
    tokens.replace(() => 'other');
    expect(await tokens.get()).toBe('other');
    expect(reasons()).toEqual(['connect', 'expiring', 'rejected']);
  });

  test('a token that came by a refresh serves the next attempt, too', async () => {
    const { tokens, asked } = counted();
    await tokens.get();
    tokens.accepted(100_000);
    await tokens.refresh();
    expect(tokens.get()).toBe('t2');
    expect(asked).toHaveLength(2);
  });
});

describe('refused tokens', () => {
  test('two fresh ones in a row are enough', async () => {
    const { tokens } = counted();
    for (const canRenew of [true, false]) {
      await tokens.get();
      tokens.rejected();
      expect(tokens.canRenew).toBe(canRenew);
    }
    // But who asks for it anyway gets a third one, and one that is let in puts an end to the counting.
    expect(await tokens.get()).toBe('t3');
    tokens.accepted(1_000);
    expect(tokens.canRenew).toBe(true);
  });

  test('one that has lain here since another attempt does not count: it may have grown old', async () => {
    const { tokens, reasons } = counted();
    for (let n = 0; n < 5; n++) {
      await tokens.get();
      tokens.get();
      tokens.rejected();
      expect(tokens.canRenew).toBe(true);
    }
    expect(reasons().slice(1)).toEqual(Array(4).fill('rejected'));
  });

  test('whoever asks for another try gets it', async () => {
    const { tokens } = counted();
    for (let n = 0; n < 2; n++) {
      await tokens.get();
      tokens.rejected();
    }
    expect(tokens.canRenew).toBe(false);
    tokens.forgive();
    expect(tokens.canRenew).toBe(true);
  });

  test('one that was accepted and then expires does not count', async () => {
    const { tokens } = counted();
    for (let n = 0; n < 5; n++) {
      await tokens.get();
      tokens.accepted(1_000);
      tokens.rejected();
      expect(tokens.canRenew).toBe(true);
    }
    // Two refused ones are still two.
    for (const canRenew of [true, false]) {
      await tokens.get();
      tokens.rejected();
      expect(tokens.canRenew).toBe(canRenew);
    }
  });

  test('another source begins anew; the same one is no other', async () => {
    const { tokens, source } = counted();
    for (let n = 0; n < 2; n++) {
      await tokens.get();
      tokens.rejected();
    }
    expect(tokens.replace(source)).toBe(false);
    expect(tokens.canRenew).toBe(false);
    expect(tokens.replace(() => 'x')).toBe(true);
    expect(tokens.canRenew).toBe(true);
  });
});

const broken: readonly [string, () => unknown, string][] = [
  ['throws at once', () => fail(), 'auth gave no token: no network'],
  ['rejects', () => Promise.reject(new Error('no network')), 'auth gave no token: no network'],
  ['throws a text', () => Promise.reject('down'), 'auth gave no token: down'],
  ['gives a number', () => 7, 'auth gave no token: what it gives must be a string, not 7'],
  [
    'gives nothing',
    async () => undefined,
    'auth gave no token: what it gives must be a string, not undefined',
  ],
  [
    'gives a novel',
    () => 'x'.repeat(7_169),
    'auth gave no token: what it gives may have 7168 characters, not 7169',
  ],
];
function fail(): never {
  throw new Error('no network');
}

describe('a function that fails', () => {
  test.each(broken)(
    'because it %s: ERR_TOKEN_SOURCE, and the next attempt asks again',
    async (_, answer, text) => {
      const { tokens, asked } = counted((n) => (n < 3 ? answer() : 'good'));
      expect(await outcome(tokens.get())).toBe(`ERR_TOKEN_SOURCE: ${text}`);
      expect(await outcome(tokens.refresh())).toBe(`ERR_TOKEN_SOURCE: ${text}`);
      expect(await outcome(tokens.get())).toBe('good');
      expect(asked).toHaveLength(3);
    },
  );

  test('with a RejectError: nobody is logged in, and that is no failure to try again', async () => {
    const { tokens, reasons } = counted((n) => {
      if (n === 2) return 't2';
      throw new RejectError('logged-out');
    });
    await expect(tokens.get()).rejects.toMatchObject({ code: 'ERR_AUTH_REFUSED', reason: 'logged-out' });
    tokens.rejected();
    expect(await tokens.get()).toBe('t2');
    expect(reasons()).toEqual(['connect', 'connect']);
  });

  test('in a refresh: asked again after 5 s', async () => {
    const { tokens, clock } = counted((n) => (n === 2 ? fail() : `t${n}`));
    await tokens.get();
    tokens.accepted(100_000);
    await clock.advance(80_000);
    await outcome(tokens.refresh());
    expect(tokens.refreshAt).toBe(clock.now() + 5_000);
  });

  test('in a refresh that hangs: aborted after 10 s, whether it listens or not; nothing is left', async () => {
    const { tokens, asked, clock } = counted((n) => (n === 2 ? new Promise(() => undefined) : `t${n}`));
    await tokens.get();
    tokens.accepted(100_000);
    const refreshed = outcome(tokens.refresh());
    await clock.advance(9_999);
    expect(asked[1]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(asked[1]?.signal.aborted).toBe(true);
    expect(await refreshed).toBe('ERR_TOKEN_SOURCE: auth gave no token: it took too long');
    expect(clock.timers).toBe(0);
    expect(await tokens.refresh()).toBe('t3');
    expect(clock.timers).toBe(0);
  });

  test('nobody hears of what comes after it was given up, an error least of all', async () => {
    let late: (error: Error) => void = () => undefined;
    const { tokens, clock } = counted(() => new Promise((_, reject) => (late = reject)));
    const answer = outcome(tokens.get());
    tokens.abandon();
    expect(await answer).toMatch('it took too long');
    late(new Error('late'));
    // The quiet-log rule of the tests finds a rejection that nobody handles.
    await clock.settle();
  });
});

describe('another source while the first one is being asked', () => {
  test('the first is told, its answer is not taken', async () => {
    let give: (token: string) => void = () => undefined;
    const { tokens, asked } = counted(() => new Promise((resolve) => (give = resolve)));
    const old = outcome(tokens.get());
    tokens.replace(() => 'new');
    expect(asked[0]?.signal.aborted).toBe(true);
    give('old');
    expect(await old).toMatch('ERR_TOKEN_SOURCE');
    expect(await tokens.get()).toBe('new');
    expect(tokens.get()).toBe('new');
  });

  test('not even if that has been given in the same moment', async () => {
    let give: (token: string) => void = () => undefined;
    const { tokens } = counted(() => new Promise((resolve) => (give = resolve)));
    const old = outcome(tokens.get());
    give('old');
    tokens.replace(() => 'new');
    await old;
    expect(await outcome(tokens.get())).toBe('new');
  });

  test('a text instead: no refresh is due any more', async () => {
    const { tokens, clock } = counted((n) => (n === 1 ? 't1' : new Promise(() => undefined)));
    await tokens.get();
    tokens.accepted(100_000);
    const refreshed = outcome(tokens.refresh());
    tokens.replace('fixed');
    await refreshed;
    tokens.accepted(100_000);
    expect(tokens.refreshAt).toBe(Infinity);
    expect(clock.timers).toBe(0);
  });
});
