import {
  type Control,
  control,
  FrameError,
  type Incoming,
  json,
  Link,
  parseFrame,
  Type,
} from '@holdfast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const codec = json();
const event = (name: string | number): Control => control(codec, [Type.EVT, `${name}`, null]);
const read = (data: string | Uint8Array) => parseFrame(codec.decode(data));
const link = (position?: ConstructorParameters<typeof Link>[1]) => new Link<Control>(codec, position);

/** Takes frames in, as an endpoint does; gives what was new. */
function deliver(frames: readonly (string | Uint8Array)[], to: Link<Control>): string[] {
  const told = (incoming: Incoming): string => {
    const { item } = incoming;
    to.accept(incoming);
    return item[0] === Type.GAP ? `hole ${item[1]}-${item[2]}` : String(item[1]);
  };
  return frames.flatMap((data) => {
    const frame = read(data);
    const names = to.take(frame).map(told);
    to.acknowledge(frame.ack);
    return names;
  });
}

describe('what is written again', () => {
  test('is what the other end lacks, in order, before anything new, and says no ack', () => {
    const [a, b] = [link(), link()];
    deliver(b.frames([event('x')], 0), a);
    deliver(a.frames([event(1), event(2)], 0), b);
    a.frames([event(3), event(4)], 0);
    const again = a.replay(b.accepted, 5);
    expect(again).toEqual(['[0,3,[2,"3",null],[2,"4",null]]']);
    const next = a.frames([event(5)], 6);
    expect(next).toEqual(['[1,5,[2,"5",null]]']);
    expect(deliver([...again, ...next], b)).toEqual(['3', '4', '5']);
    expect(a.inflight.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(a.inflight[2]?.writtenAt).toBe(5);
  });

  test('nothing to write again: an ack is owed all the same', () => {
    const [a, b] = [link(), link()];
    deliver(b.frames([event('x')], 0), a);
    a.frames([], 0);
    expect(a.ackDueAt).toBe(Infinity);
    expect(a.replay(0, 1)).toEqual([]);
    expect(a.frames([], 1)).toEqual(['[1,0]']);
    expect(a.frames([], 1)).toEqual([]);
  });

  test('what was given up is a hole, and is acknowledged like an item', () => {
    const [a, b] = [link(), link()];
    const entries = [1, 2, 3, 4, 5, 6].map(event);
    a.frames(entries, 0);
    for (const n of [1, 2, 4]) if (entries[n]) a.abandon(entries[n]);
    const again = a.replay(0, 1);
    expect(again).toEqual([
      '[0,1,[2,"1",null],[12,2,2,"abandoned"],[12,3,3,"abandoned"],[2,"4",null],[12,5,5,"abandoned"],[2,"6",null]]',
    ]);
    expect(deliver(again, b)).toEqual(['1', 'hole 2-2', 'hole 3-3', '4', 'hole 5-5', '6']);
    expect(b.accepted).toBe(6);
    expect(a.acknowledge(6)).toHaveLength(6);
    expect(a.replay(6, 2)).toEqual([]);
  });

  test('of a hole only what was not taken before is told', () => {
    const [a, b] = [link(), link()];
    const entries = [1, 2, 3].map(event);
    const frames = a.frames(entries, 0);
    deliver(frames, b);
    for (const entry of entries) a.abandon(entry);
    // The other end says that it has less than it has: its ack was lost.
    expect(deliver([...a.replay(1, 1), ...a.frames([event(4)], 1)], b)).toEqual(['4']);
    expect(b.repeated).toBe(2);
    const [c, d] = [link(), link()];
    deliver(c.frames([event(1)], 0), d);
    expect(d.take({ ack: 0, firstSeq: 1, items: [[Type.GAP, 1, 4, 'x']] })).toEqual([
      { seq: 2, last: 4, item: [Type.GAP, 2, 4, 'x'] },
    ]);
  });

  test.each([
    ['what was never written', 3],
    ['less than was acknowledged', 0],
  ])('a position that claims %s is refused', (_what, received) => {
    const a = link();
    a.frames([event(1), event(2)], 0);
    a.acknowledge(1);
    expect(() => a.replay(received, 0)).toThrow(FrameError);
  });

  test('many frames: only the last says what was accepted', () => {
    const [a, b] = [link(), link()];
    deliver(b.frames([event('x')], 0), a);
    const big = Array.from({ length: 600 }, (_, n) => event(n));
    const acks = a.frames(big, 1).map((data) => read(data).ack);
    expect(acks).toEqual([0, 0, 1]);
  });

  test('a stream is acknowledged every 100 ms, after 32 messages, after 32 KiB', () => {
    const [a, b] = [link(), link()];
    const take = (bytes: number): void => {
      const [data] = a.frames([event('x')], 0);
      for (const incoming of b.take(read(data ?? ''), bytes)) b.accept(incoming);
    };
    take(100);
    expect(b.frames([], 0)).toEqual(['[1,0]']);
    take(100);
    expect([b.frames([], 99), b.frames([], 100)]).toEqual([[], ['[2,0]']]);
    for (let n = 0; n < 31; n++) take(100);
    expect(b.ackDueAt).toBe(200);
    take(100);
    expect(b.frames([], 101)).toEqual(['[34,0]']);
    take(32_767);
    expect(b.frames([], 102)).toEqual([]);
    take(1);
    expect(b.frames([], 103)).toEqual(['[36,0]']);
  });

  test('a link goes on from where another stood, and owes an ack', () => {
    const a = link({ accepted: 7, acknowledged: 3 });
    expect([a.written, a.accepted, a.acknowledged, a.ackDueAt]).toEqual([3, 7, 3, -Infinity]);
    expect(a.replayed([event('again')], 0)).toEqual(['[0,4,[2,"again",null]]']);
    expect(a.frames([], 0)).toEqual(['[7,0]']);
  });

  test.each([
    ['a hole that begins elsewhere', [0, 1, [12, 2, 3, 'x']]],
    ['a hole that ends before it begins', [0, 1, [12, 1, 0, 'x']]],
  ])('%s is a bad frame', (_what, frame) => {
    expect(() => link().take(parseFrame(frame))).toThrow(FrameError);
  });
});

test('whatever is cut, lost, given up and written again: each number arrives once, in order, or as a hole that was given up', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('give-up' as const), at: fc.nat({ max: 20 }) }),
    // How many frames of each direction get through before the connection is cut.
    fc.record({ do: fc.constant('cut' as const), up: fc.nat({ max: 3 }), down: fc.nat({ max: 3 }) }),
    fc.record({ do: fc.constant('deliver' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [a, b] = [link(), link()];
      const up: (string | Uint8Array)[] = [];
      const down: (string | Uint8Array)[] = [];
      const got: string[] = [];
      const givenUp = new Set<number>();
      let written = 0;
      let now = 0;
      const carry = (most: number, least: number): void => {
        got.push(...deliver(up.splice(0, most), b));
        down.push(...b.frames([], now + 1_000));
        deliver(down.splice(0, least), a);
      };
      const reconnect = (): void => {
        up.length = 0;
        down.length = 0;
        up.push(...a.replay(b.accepted, now));
        down.push(...b.replay(a.accepted, now));
      };
      for (const each of steps) {
        now += 10_000;
        if (each.do === 'write') {
          const entries = Array.from({ length: each.count }, () => event(++written));
          up.push(...a.frames(entries, now));
        } else if (each.do === 'give-up') {
          const entry = a.inflight[each.at];
          if (entry) {
            a.abandon(entry);
            givenUp.add(entry.seq);
          }
        } else if (each.do === 'cut') {
          carry(each.up, each.down);
          reconnect();
        } else {
          carry(Infinity, Infinity);
        }
      }
      reconnect();
      carry(Infinity, Infinity);
      const numbers = got.flatMap((line) => {
        const hole = /hole (\d+)-(\d+)/.exec(line);
        if (!hole) return [Number(line)];
        const [from, to] = [Number(hole[1]), Number(hole[2])];
        const holes = Array.from({ length: to - from + 1 }, (_, n) => from + n);
        expect(holes.every((n) => givenUp.has(n))).toBe(true);
        return holes;
      });
      expect(numbers).toEqual(Array.from({ length: written }, (_, n) => n + 1));
      expect(a.inflight).toEqual([]);
    }),
    { numRuns: process.env['HOLDFAST_LONG'] === '1' ? 5_000 : 200 },
  );
});
