import { msgpack } from '@holdfast/client/msgpack';
import { type PayloadInfo, payloadCodec } from '@holdfast/client/payload-codec';
import { defineContract, json, type Schema } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { member, openBed, person } from './people.js';

/** JSON in bytes, as an encoding of somebody's own. Notes what it is asked for; refuses what says `unreadable`. */
function own(envelope = json()) {
  const asked: string[] = [];
  const note = (what: string, { kind, name, from }: PayloadInfo) =>
    asked.push(`${what} ${kind} ${from} ${name}`);
  const codec = payloadCodec({
    name: 'own',
    envelope,
    encode(payload, info) {
      note('encode', info);
      if (payload === 'unsayable') throw new TypeError('no word for it');
      return new TextEncoder().encode(JSON.stringify({ is: payload }));
    },
    decode(bytes, info) {
      note('decode', info);
      const { is } = JSON.parse(new TextDecoder().decode(bytes)) as { is: unknown };
      if (is === `unreadable ${info.from}`) throw new TypeError('it makes no sense');
      return is;
    },
  });
  return { codec, asked };
}

describe.each([
  ['json', json()],
  ['msgpack', msgpack()],
])('an encoding of payloads in %s', (name, envelope) => {
  test('is asked which payload it is, and never about what is the protocol its own', async () => {
    const { codec, asked } = own(envelope);
    expect(codec.name).toBe(`${name}+own`);
    const bed = openBed({ codecs: [codec] });
    const people = [await member(bed, { codec }), await member(bed, { codec })] as const;
    const [{ client }, other] = people;
    expect(asked).toEqual([]);
    expect(await bed.until(client.request('echo', { a: 1 }))).toEqual({ a: 1 });
    await bed.until(client.send('note', 'hello'));
    expect(asked).toEqual([
      'encode request client echo',
      'decode request client echo',
      'decode request client echo',
      'encode reply server echo',
      'decode reply server echo',
      'encode event client note',
      'decode event client note',
      'decode event client note',
    ]);
    // Nothing is nothing, also here.
    asked.length = 0;
    expect(await bed.until(client.request('echo'))).toBeUndefined();
    expect(asked).toEqual([]);
    await bed.until(people[0].say('to the room'));
    await bed.advance(100);
    expect(other.heard).toEqual(['to the room']);
    expect(asked.filter((line) => line.startsWith('encode'))).toEqual([
      'encode event client message',
      'encode event server message',
    ]);
  });

  test('what it cannot say is refused where it is sent', async () => {
    const { codec } = own(envelope);
    const bed = openBed({ codecs: [codec] });
    const { client } = await member(bed, { codec });
    const refused = {
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'unsent',
      issues: [{ message: 'no word for it' }],
    };
    await expect(bed.until(client.send('note', 'unsayable'))).rejects.toMatchObject(refused);
    await expect(bed.until(client.request('echo', 'unsayable'))).rejects.toMatchObject(refused);
    await expect(bed.until(bed.server.to('lobby').send('message', 'unsayable'))).rejects.toMatchObject(
      refused,
    );
    expect(await bed.until(client.request('echo', 1))).toBe(1);
    expect(bed.dials(client)).toBe(1);
  });

  test('what it cannot read is refused to its sender, and the connection goes on', async () => {
    const { codec } = own(envelope);
    const bed = openBed({ codecs: [codec] });
    const { client, room } = await member(bed, { codec });
    for (const refused of [
      client.send('note', 'unreadable client'),
      client.request('echo', 'unreadable client'),
      room.send('message', 'unreadable client'),
    ]) {
      await expect(bed.until(refused)).rejects.toMatchObject({
        code: 'ERR_INVALID_PAYLOAD',
        delivery: 'rejected',
        issues: [{ message: 'cannot be decoded: it makes no sense' }],
      });
    }
    expect(await bed.until(client.request('echo', 1))).toBe(1);
    expect(bed.dials(client)).toBe(1);
  });

  test('what the client cannot read is told there, and the connection goes on', async () => {
    const { codec } = own(envelope);
    const bed = openBed({ codecs: [codec] });
    const { client, heard } = await member(bed, { codec });
    const told: unknown[] = [];
    client.onError((error) => told.push(error));
    await bed.until(bed.server.to('lobby').send('message', 'unreadable server'));
    await bed.until(bed.server.to('lobby').send('message', 'readable'));
    await bed.advance(100);
    expect(heard).toEqual(['readable']);
    const unread = { code: 'ERR_INVALID_PAYLOAD', delivery: 'rejected' };
    expect(told).toEqual([expect.objectContaining(unread)]);
    await expect(bed.until(client.request('echo', 'unreadable server'))).rejects.toMatchObject({
      ...unread,
      message: "the reply to 'echo' cannot be used: cannot be decoded: it makes no sense",
    });
    expect(bed.dials(client)).toBe(1);
  });

  test('in a room, the others hear it in their codecs, and the other way round', async () => {
    const { codec } = own(envelope);
    const all = [codec, json(), msgpack()];
    for (const codecs of [all, [...all].reverse()]) {
      const bed = openBed({ codecs });
      const people = [];
      for (const one of all) people.push(await member(bed, { codec: one }));
      for (const { say } of people) await bed.until(say(`word ${people.length}`));
      await bed.until(bed.server.to('lobby').send('message', undefined));
      await bed.advance(100);
      for (const { heard } of people) expect(heard).toEqual(['word 3', 'word 3', 'undefined']);
    }
  });

  test('what nobody else can say is a hole for those who speak it', async () => {
    const { codec } = own(envelope);
    const bed = openBed({ codecs: [json(), codec] });
    const [plain, special] = [await member(bed), await member(bed, { codec })];
    await bed.until(bed.server.to('lobby').send('message', 'unsayable'));
    await bed.until(bed.server.to('lobby').send('message', 'next'));
    await bed.advance(100);
    expect(plain.heard).toEqual(['unsayable', 'next']);
    expect(special.heard).toEqual(['gap 1 codec', 'next']);
  });
});

test('the contract is asked about what was decoded', async () => {
  const { codec } = own();
  const text: Schema<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] }),
    },
  };
  const contract = defineContract({
    events: { note: text },
    requests: { echo: { input: text, output: text } },
  });
  const bed = openBed({ codecs: [codec], contract });
  const { client } = person(bed, { codec });
  await bed.until(client.connect());
  expect(await bed.until(client.request('echo', 'x'))).toBe('x');
  await expect(bed.until(client.request('echo', 5))).rejects.toMatchObject({
    code: 'ERR_INVALID_PAYLOAD',
    issues: [{ message: 'no text' }],
  });
});

describe('payloadCodec()', () => {
  const good = { name: 'x', encode: () => new Uint8Array(), decode: () => 1 };
  test.each([
    [{ ...good, name: 'a+b' }, "must be 1 to 32 letters, digits, '-' or '_', not \"a+b\""],
    [{ ...good, name: '' }, 'must be 1 to 32 letters'],
    [{ ...good, name: 5 }, 'must be 1 to 32 letters'],
    [{ ...good, decode: 5 }, 'must be an object with encode, decode'],
    [{ ...good, envelope: {} }, 'payloadCodec({ envelope }) must be an object with encode'],
    [{ ...good, envelope: payloadCodec(good) }, 'must be json() or msgpack()'],
    [{ ...good, codec: 5 }, "unknown option 'codec'; allowed: name, envelope, encode, decode"],
  ])('%j is refused', (options, why) => {
    expect(() => payloadCodec(options as never)).toThrow(TypeError);
    expect(() => payloadCodec(options as never)).toThrow(why);
  });

  test('says when an encoder gives no bytes', () => {
    const codec = payloadCodec({ ...good, encode: () => 'text' as never });
    const info = { kind: 'event', name: 'x', from: 'client' } as const;
    expect(() => codec.payloads?.encode(1, info)).toThrow("must return a Uint8Array; 'x' did not");
  });
});
