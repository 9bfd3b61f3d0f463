import { msgpack } from '@holdfast/client/msgpack';
import { json } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { member, openBed, person } from './people.js';

const codecs = [json(), msgpack()] as const;

describe('MessagePack', () => {
  test('one room, two codecs: both hear the same, across cuts, too', async () => {
    const bed = openBed({ codecs });
    const alice = await member(bed, { codec: msgpack() });
    const bob = await member(bed);
    await bed.until(alice.say('from MessagePack'));
    await bed.until(bob.say('from JSON'));
    await bed.settle();
    bed.cut(alice.client);
    await bed.until(bob.say('while she was away'));
    await bed.advance(10_000);
    await bed.until(alice.say('back'));
    await bed.advance(100);
    expect(alice.heard).toEqual(['from JSON', 'while she was away']);
    expect(bob.heard).toEqual(['from MessagePack', 'back']);
  });

  test('one room, two codecs: bytes, times and big integers arrive as what they are', async () => {
    const bed = openBed({ codecs });
    const people = [await member(bed, { codec: msgpack() }), await member(bed), await member(bed)] as const;
    const heard = people.map(({ room }) => {
      const payloads: unknown[] = [];
      room.on('data', (payload) => payloads.push(payload));
      return payloads;
    });
    const payload = { bytes: new Uint8Array([1, 2, 255]), at: new Date(5), n: 2n ** 64n, own: { $date: 5 } };
    for (const { room } of people) await bed.until(room.send('data', payload));
    await bed.settle();
    // What each has said goes to the two others.
    for (const payloads of heard) expect(payloads).toStrictEqual([payload, payload]);
  });
});

describe.each([
  ['json', json()],
  ['msgpack', msgpack()],
])('%s: payloads', (_name, codec) => {
  test('of requests and replies arrive as what they are', async () => {
    const bed = openBed({ codecs });
    const { client } = person(bed, { codec });
    await bed.until(client.connect());
    const payload = {
      text: 'ü',
      list: [1, 0.5, -7, null],
      bytes: new Uint8Array([1, 2, 255]),
      at: new Date(0),
      big: -(10n ** 30n),
      own: [{ $bytes: 'AA==' }, { $$date: 1 }],
    };
    expect(await bed.until(client.request('echo', payload))).toStrictEqual(payload);
    expect(await bed.until(client.request('echo', undefined))).toBeUndefined();
  });

  test('that nothing can say are refused where they are sent, and the connection goes on', async () => {
    const bed = openBed({ codecs });
    const { client } = person(bed, { codec });
    await bed.until(client.connect());
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const [payload, why] of [
      [{ on: () => 1 }, 'has no word for a function'],
      [[Symbol('s')], 'has no word for a symbol'],
      [circle, 'nested more than 64 deep'],
      [new Date(Number.NaN), 'an invalid Date'],
    ] as const) {
      await expect(bed.until(client.request('echo', payload))).rejects.toMatchObject({
        code: 'ERR_INVALID_PAYLOAD',
        delivery: 'unsent',
        message: expect.stringContaining(why),
      });
    }
    expect(bed.dials(client)).toBe(1);
  });
});

describe.each([
  ['json', json()],
  ['msgpack', msgpack()],
])('%s: a payload that breaks a bound', (_name, codec) => {
  test('is refused where it is sent, and the connection goes on', async () => {
    const bed = openBed({ codecs });
    const { client } = person(bed, { codec });
    await bed.until(client.connect());
    let deep: unknown = 0;
    for (let n = 0; n < 65; n++) deep = [deep];
    const many = Array.from({ length: 10_001 }, () => 0);
    for (const [payload, why] of [
      [deep, 'nested more than 64 deep'],
      [many, 'more than 10000 elements'],
      [{ ['k'.repeat(257)]: 1 }, 'a key with more than 256 bytes'],
    ] as const) {
      await expect(bed.until(client.send('note', payload))).rejects.toMatchObject({
        code: 'ERR_INVALID_PAYLOAD',
        delivery: 'unsent',
        message: expect.stringContaining(why),
      });
    }
    // What is just within the bounds gets through, even many of them in one frame.
    const full = many.slice(1);
    await bed.until(Promise.all(Array.from({ length: 20 }, () => client.send('note', full))));
    expect(await bed.until(client.request('echo', full))).toEqual(full);
    expect(bed.dials(client)).toBe(1);
  });
});
