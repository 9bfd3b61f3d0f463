import {
  control,
  FrameError,
  json,
  Link,
  type Outgoing,
  parseFrame,
  SequenceGapError,
  Type,
} from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';

const codec = json();
const event = (name: string) => control(codec, [Type.EVT, name, null, { i: name }]);
const ping = () => control(codec, [Type.PING]);
const read = (frame: string | Uint8Array | undefined) => parseFrame(codec.decode(frame ?? ''));

function pair() {
  return { a: new Link<Outgoing>(codec), b: new Link<Outgoing>(codec) };
}

/** Moves frames from one link to the other and gives the names of the events that were new. */
function carry(from: Link<Outgoing>, to: Link<Outgoing>, entries: Outgoing[], now = 0): string[] {
  const names: string[] = [];
  for (const data of from.frames(entries, now)) {
    const frame = read(data);
    for (const incoming of to.take(frame)) {
      const { item } = incoming;
      if (item[0] === Type.EVT) names.push(item[1]);
      to.accept(incoming);
    }
    to.acknowledge(frame.ack);
  }
  return names;
}

describe('numbers', () => {
  test('start at 1, rise by one, and are given only to what is sequenced', () => {
    const { a } = pair();
    const entries = [ping(), event('x'), ping(), event('y')];
    const [frame] = a.frames(entries, 7);
    expect(read(frame).firstSeq).toBe(1);
    expect(entries.map(({ seq }) => seq)).toEqual([0, 1, 0, 2]);
    expect(entries.map(({ writtenAt }) => writtenAt)).toEqual([7, 7, 7, 7]);
    const [next] = a.frames([event('z')], 8);
    expect(read(next).firstSeq).toBe(3);
  });

  test('a frame without a sequenced item has firstSeq 0', () => {
    const { a } = pair();
    expect(read(a.frames([ping()], 0)[0]).firstSeq).toBe(0);
  });

  test('many items make several frames, none with more than 255, and an ACK NOW', () => {
    const { a, b } = pair();
    const events = Array.from({ length: 600 }, (_, n) => event(`e${n}`));
    const frames = a.frames(events, 0).map(read);
    expect(frames.map(({ items }) => items.length)).toEqual([255, 255, 90]);
    expect(frames.map(({ firstSeq }) => firstSeq)).toEqual([1, 256, 511]);
    expect(frames.flatMap((frame) => b.take(frame)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 600 }, (_, n) => n + 1),
    );
  });

  test('big items get frames of their own', () => {
    const { a } = pair();
    const big = () => control(codec, [Type.EVT, 'big', 'x'.repeat(40_000), {}]);
    expect(a.frames([big(), big(), event('small')], 0)).toHaveLength(2);
  });
});

describe('what comes in', () => {
  test('is given once, in order', () => {
    const { a, b } = pair();
    expect(carry(a, b, [event('x'), event('y')])).toEqual(['x', 'y']);
    expect(carry(a, b, [event('z')])).toEqual(['z']);
  });

  test('a repeated frame gives nothing', () => {
    const { a, b } = pair();
    const frame = read(a.frames([event('x'), event('y')], 0)[0]);
    expect(b.take(frame)).toHaveLength(2);
    expect(b.take(frame)).toEqual([]);
  });

  test('of a frame that is partly known only the rest is given', () => {
    const { b } = pair();
    b.take({ ack: 0, firstSeq: 1, items: [[Type.EVT, 'x', null]] });
    const fresh = b.take({
      ack: 0,
      firstSeq: 1,
      items: [[Type.EVT, 'x', null], [Type.PING], [Type.EVT, 'y', null]],
    });
    expect(fresh.map(({ item }) => item[0])).toEqual([Type.PING, Type.EVT]);
    expect(fresh.map(({ seq }) => seq)).toEqual([0, 2]);
  });

  test('a number above the next one is a gap', () => {
    const { b } = pair();
    const frame = { ack: 0, firstSeq: 2, items: [[Type.EVT, 'y', null]] } as const;
    expect(() => b.take(frame)).toThrow(SequenceGapError);
    expect(() => b.take(frame)).toThrow('number 2 came where 1 was due');
  });

  test('an ack of what was never sent breaks the protocol', () => {
    const { a } = pair();
    a.frames([event('x')], 0);
    expect(() => a.take({ ack: 2, firstSeq: 0, items: [] })).toThrow(FrameError);
    expect(() => a.take({ ack: 1, firstSeq: 0, items: [] })).not.toThrow();
  });
});

describe('acks', () => {
  test('cover only what was accepted without a hole', () => {
    const { a, b } = pair();
    b.take(read(a.frames([event('1'), event('2'), event('3')], 0)[0]));
    b.accept({ seq: 1, last: 1 });
    b.accept({ seq: 3, last: 3 });
    expect(b.unaccepted).toBe(1);
    expect(read(b.frames([ping()], 0)[0]).ack).toBe(1);
    b.accept({ seq: 2, last: 2 });
    expect(b.unaccepted).toBe(0);
    expect(read(b.frames([ping()], 0)[0]).ack).toBe(3);
  });

  test('a lone message is acknowledged at once, a stream every 100 ms or 32 messages', () => {
    const { a, b } = pair();
    carry(a, b, [event('1')], 1_000);
    expect(b.ackDueAt).toBe(-Infinity);
    expect(b.frames([], 1_000)).toHaveLength(1);
    expect(b.ackDueAt).toBe(Infinity);

    carry(a, b, [event('2')], 1_010);
    expect(b.ackDueAt).toBe(1_100);
    expect(b.frames([], 1_010)).toEqual([]);
    for (let n = 3; n <= 32; n++) carry(a, b, [event(`${n}`)], 1_020);
    expect(b.frames([], 1_020)).toEqual([]);
    carry(a, b, [event('33')], 1_030);
    expect(read(b.frames([], 1_030)[0]).ack).toBe(33);
  });

  test('are asked for in a frame with a message that somebody awaits, and come when all of it is accepted', () => {
    const { a, b } = pair();
    carry(a, b, [event('1')], 1_000);
    b.frames([], 1_000);
    const [frame = ''] = a.frames([event('2'), { ...event('3'), receipt: { awaited: true } }], 1_010);
    expect(read(frame).items.at(-1)).toEqual([Type.ACK_NOW]);
    const [second, third, ...others] = b.take(read(frame));
    expect(others).toEqual([]);
    if (second) b.accept(second);
    expect(b.ackDueAt).toBe(1_100);
    if (third) b.accept(third);
    expect(b.ackDueAt).toBe(-Infinity);
    expect(read(b.frames([], 1_010)[0]).ack).toBe(3);

    carry(a, b, [{ ...event('4'), receipt: { awaited: false } }], 1_020);
    expect(b.ackDueAt).toBe(1_110);
  });

  test('are asked for in the last frame of any number of them', () => {
    const { a } = pair();
    const awaited = (count: number) =>
      Array.from({ length: count }, () => ({ ...event('e'), receipt: { awaited: true } }));
    const asks = (count: number) =>
      a.frames(awaited(count), 0).map((frame) => read(frame).items.some(([type]) => type === Type.ACK_NOW));
    expect(asks(31)).toEqual([true]);
    expect(asks(32)).toEqual([true]);
    expect(asks(255)).toEqual([true]);
    expect(asks(256)).toEqual([false, true]);
  });

  test('asked for again and again before anything is accepted: the first that is asked for does not wait for the last', () => {
    const { a, b } = pair();
    carry(a, b, [event('0')], 1_000);
    b.frames([], 1_000);
    const say = (name: string) => {
      const [frame] = a.frames([{ ...event(name), receipt: { awaited: true } }], 1_010);
      return b.take(read(frame));
    };
    const [one, two, three] = ['1', '2', '3'].flatMap(say);
    const acked = (incoming: typeof one) => {
      if (incoming) b.accept(incoming);
      return b.frames([], 1_010).map((frame) => read(frame).ack);
    };
    expect([acked(one), acked(two)]).toEqual([[2], []]);
    const [four] = say('4');
    expect([acked(three), acked(four)]).toEqual([[4], [5]]);
  });

  test('ride on whatever goes out anyway', () => {
    const { a, b } = pair();
    carry(a, b, [event('1')]);
    expect(read(b.frames([event('answer')], 0)[0]).ack).toBe(1);
    expect(b.ackDueAt).toBe(Infinity);
  });

  test('settle what was written, in order, once', () => {
    const { a } = pair();
    const entries = [event('1'), event('2'), event('3')];
    a.frames(entries, 0);
    expect(a.inflight).toEqual(entries);
    expect(a.inflightBytes).toBe(entries.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(a.acknowledge(0)).toEqual([]);
    expect(a.acknowledge(2)).toEqual(entries.slice(0, 2));
    expect(a.acknowledge(2)).toEqual([]);
    expect(a.acknowledge(3)).toEqual(entries.slice(2));
    expect(a.inflightBytes).toBe(0);
  });
});
