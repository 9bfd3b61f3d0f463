import { type Codec, json, type PublicationItem, Type } from '@holdfast/protocol';
import { msgpack } from '@holdfast/protocol/msgpack';
import { expect, test } from 'vitest';
import { Aside } from '../../src/hub/aside.js';

const items = (count: number): PublicationItem[] =>
  Array.from({ length: count }, (_, n) => [Type.PUB, 3, 0, '$member', [`user-${n}`, 1], { t: 9 }]);

/** How often it encodes, and makes frames. */
function counted(codec: Codec) {
  const counts = { encoded: 0, framed: 0 };
  const { encode, frame } = codec;
  const counting: Codec = {
    ...codec,
    encode(item) {
      counts.encoded++;
      return encode.call(codec, item);
    },
    frame(...call) {
      counts.framed++;
      return frame.call(codec, ...call);
    },
  };
  return { codec: counting, counts };
}

test('is encoded once for each codec, and framed when somebody needs that', () => {
  const said = new Aside(items(3));
  for (const codec of [json(), msgpack()]) {
    const { codec: one, counts } = counted(codec);
    for (let member = 0; member < 5; member++) said.items(one);
    expect(counts).toEqual({ encoded: 3, framed: 0 });
    for (let member = 0; member < 5; member++) said.frames(one);
    expect(counts).toEqual({ encoded: 3, framed: 1 });
    expect(said.frames(one).map((frame) => one.decode(frame))).toEqual([[0, 0, ...items(3)]]);
    expect(said.items(one)).toEqual(items(3).map((item) => codec.encode(item)));
  }
});

test('puts 32 into a frame at most, in order', () => {
  const codec = json();
  const frames = new Aside(items(70)).frames(codec).map((frame) => codec.decode(frame) as unknown[]);
  expect(frames.map((frame) => frame.length - 2)).toEqual([32, 32, 6]);
  expect(frames.flatMap((frame) => frame.slice(2))).toEqual(items(70));
});
