import { msgpack } from '@holdfast/client/msgpack';
import { type Codec, type Item, json, Type } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { member, openBed } from './people.js';

/** Of the items that carry the name `message`: how often they were encoded, as what, and made a publication. */
function counted(codec: Codec) {
  const count = { encoded: 0, published: 0, framed: 0 };
  const isMessage = (item: Item): boolean =>
    (item[0] === Type.EVT && item[1] === 'message') || (item[0] === Type.PUB && item[3] === 'message');
  const made = new Set<unknown>();
  const counting: Codec = {
    ...codec,
    encode(item) {
      const data = codec.encode(item);
      if (isMessage(item)) {
        count.encoded++;
        made.add(data);
      }
      return data;
    },
    publication(event, room, offset) {
      count.published++;
      const data = codec.publication(event, room, offset);
      made.add(data);
      return data;
    },
    frame(ack, firstSeq, items) {
      if (items.some((item) => made.has(item))) count.framed++;
      return codec.frame(ack, firstSeq, items);
    },
  };
  return { codec: counting, count };
}

test('three speak JSON and three MessagePack: one publication is encoded and framed once for each codec', async () => {
  const text = counted(json());
  const packed = counted(msgpack());
  const bed = openBed({ codecs: [text.codec, packed.codec] });
  const people = [];
  for (const codec of [json(), json(), json(), msgpack(), msgpack(), msgpack()]) {
    people.push(await member(bed, { codec }));
  }
  expect(text.count).toEqual({ encoded: 0, published: 0, framed: 0 });

  const { members } = await bed.until(bed.server.to('lobby').send('message', 'to all'));
  await bed.advance(100);
  expect(members).toBe(6);
  expect(people.map(({ heard }) => heard)).toEqual(Array(6).fill(['to all']));
  // For the log, in the server's first codec; its members get those bytes, in one frame. The other codec encodes it once
  // for all, from what is read out of the log: that is the second frame.
  expect(text.count).toEqual({ encoded: 1, published: 1, framed: 2 });
  expect(packed.count).toEqual({ encoded: 1, published: 0, framed: 1 });

  // Also what a client publishes: the server has it from the wire, and encodes it anew with who said it.
  await bed.until((people[3] as (typeof people)[0]).say('from one of them'));
  await bed.advance(100);
  expect(people.map(({ heard }) => heard.length)).toEqual([2, 2, 2, 1, 2, 2]);
  expect(text.count).toEqual({ encoded: 2, published: 2, framed: 4 });
  expect(packed.count).toEqual({ encoded: 2, published: 0, framed: 2 });
});
