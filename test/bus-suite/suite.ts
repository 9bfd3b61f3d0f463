import type { BusConnection, BusPort } from '@holdfast/server/ports';
import { describe, expect, onTestFinished, test } from 'vitest';

export interface BusUnderTest {
  readonly bus: BusPort;
}
export interface FrailBus extends BusUnderTest {
  /** Can be reached by nobody until the returned function is called. */
  away(): Promise<() => Promise<void>>;
}

const LARGEST = 65_536;
const clock = {
  setTimer: (run: () => void, ms: number) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

class Member {
  readonly connection: BusConnection;
  readonly heard: Buffer[] = [];
  /** `up` and `down`, as it was told. */
  readonly states: string[] = [];

  constructor(bus: BusPort, channel: string) {
    const listener = {
      heard: (message: Uint8Array) => void this.heard.push(Buffer.from(message)),
      up: () => void this.states.push('up'),
      down: (error: unknown) => void this.states.push(error instanceof Error ? 'down' : 'no error'),
    };
    this.connection = bus.join(channel, listener, { clock });
    expect([this.heard, this.states]).toEqual([[], []]);
    onTestFinished(() => this.connection.close());
  }

  say(...words: readonly (string | Buffer)[]): void {
    for (const word of words) this.connection.publish(Buffer.from(word));
  }

  /** What has come that begins so. */
  of(begin: string): string[] {
    return this.heard.map(String).filter((word) => word.startsWith(begin));
  }
}

let channels = 0;
const newChannel = (): string => `channel ${++channels}`;

async function members(bus: BusPort, ...on: readonly string[]): Promise<Member[]> {
  const all = on.map((channel) => new Member(bus, channel));
  await expect.poll(() => all.map(({ states }) => states), { timeout: 10_000 }).toEqual(on.map(() => ['up']));
  return all;
}

async function three<B extends BusUnderTest>(make: () => B): Promise<B & { all: [Member, Member, Member] }> {
  const under = make();
  const channel = newChannel();
  return { ...under, all: (await members(under.bus, channel, channel, channel)) as [Member, Member, Member] };
}

const numbered = (who: string, many: number): string[] =>
  Array.from({ length: many }, (_, n) => `${who} ${n}`);

/** What every bus must do. */
export function busSuite(name: string, make: () => BusUnderTest): void {
  describe(`${name} as a bus`, () => {
    test('what is published is heard by the others, once, in the order of each', async () => {
      const {
        all: [a, b, c],
      } = await three(make);
      const said = { a: numbered('a', 2_000), b: numbered('b', 2_000) };
      for (let n = 0; n < 2_000; n++) {
        a.say(said.a[n] ?? '');
        b.say(said.b[n] ?? '');
        if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await expect.poll(() => c.heard.length).toBe(4_000);
      await expect.poll(() => [a.of('b').length, b.of('a').length]).toEqual([2_000, 2_000]);
      expect([c.of('a'), c.of('b'), b.of('a'), a.of('b')]).toEqual([said.a, said.b, said.a, said.b]);
    });

    test('bytes come as they are, none or 64 KiB of them', async () => {
      const {
        all: [a, b],
      } = await three(make);
      const all = Buffer.from(Uint8Array.from({ length: LARGEST }, (_, at) => (at * 7) % 256));
      a.say('', all, 'last');
      await expect.poll(() => b.heard.length).toBe(3);
      expect(b.heard.map((message) => message.length)).toEqual([0, LARGEST, 4]);
      expect(b.heard[1]?.equals(all)).toBe(true);
    });

    test('what is published is what it was then', async () => {
      const {
        all: [a, b],
      } = await three(make);
      const word = Buffer.from('before');
      a.connection.publish(word);
      word.write('behind');
      await expect.poll(() => b.heard.map(String)).toEqual(['before']);
    });

    test('channels are apart, whatever they are called', async () => {
      const { bus } = make();
      const base = newChannel();
      const names = [
        '',
        '*',
        '>',
        '.',
        '.>',
        'a.b',
        'a..b',
        ' ',
        '%',
        '%002a',
        'ü',
        'ʠ',
        '*0',
        '\ud83d\ude00',
        '\r\n',
        '$x',
      ];
      const many = [
        ...names.map((end) => base + end),
        ...Array.from({ length: 100 }, (_, n) => `${base}/${n}`),
      ];
      const speakers = await members(bus, ...many);
      const listeners = await members(bus, ...many);
      for (const [n, speaker] of speakers.entries()) speaker.say(`to ${n}`);
      await expect
        .poll(() => listeners.map(({ heard }) => heard.map(String)))
        .toEqual(many.map((_, n) => [`to ${n}`]));
    });

    test('who closes is told nothing more; what it has published just before is heard', async () => {
      const {
        all: [a, b, c],
      } = await three(make);
      const said = numbered('a', 100).map((word) => word.padEnd(50_000, '.'));
      a.say(...said);
      const closed = a.connection.close();
      b.say('hello');
      await closed;
      a.say('too late');
      b.say('hello');
      await expect.poll(() => c.of('hello')).toEqual(['hello', 'hello']);
      await expect.poll(() => c.of('a').length).toBe(said.length);
      expect([a.of('hello'), a.states, c.of('too late')]).toEqual([[], ['up'], []]);
      await a.connection.close();
    });
  });
}

/** What one does that can be away, and knows it. */
export function busOutageSuite(name: string, make: () => FrailBus): void {
  describe(`${name} as a bus that is away`, () => {
    test('an outage is told, once, and its end; nothing piles up meanwhile, and what is said then is heard', async () => {
      const {
        away,
        all: [a, b, c],
      } = await three(make);
      const back = await away();
      await expect
        .poll(() => [a, b, c].map(({ states }) => states.length), { timeout: 10_000 })
        .toEqual([2, 2, 2]);
      const block = Buffer.alloc(LARGEST, 'x');
      const before = process.memoryUsage();
      for (let n = 0; n < 1_600; n++) a.say(block);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { external, heapUsed } = process.memoryUsage();
      // A hundred megabytes were said.
      expect(external + heapUsed - before.external - before.heapUsed).toBeLessThan(40_000_000);
      await back();
      await expect
        .poll(() => [a, b, c].map(({ states }) => states), { timeout: 10_000 })
        .toEqual([a, b, c].map(() => ['up', 'down', 'up']));
      a.say('after');
      await expect.poll(() => [b.of('after'), c.of('after')]).toEqual([['after'], ['after']]);
      expect(b.of('x').length).toBeLessThan(200);
    }, 30_000);
  });
}
