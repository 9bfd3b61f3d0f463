import { json, payloadCodec } from '@holdfast/server';
import { MemoryStore } from '@holdfast/server/ports';
import { seededRandom, type TestbedOptions, VirtualClock } from '@holdfast/testing';
import { expect, test, vi } from 'vitest';
import { bareServer, welcomeOf } from './bare.js';
import { openBed, silent } from './people.js';

/** Tokens are user ids. */
const options: TestbedOptions = {
  auth: (token = 'nobody') => ({ user: { id: token } }),
  setup(server) {
    server.rooms('*', { join: true, publish: true });
  },
};

test('a room that is named twice has it in its log once', async () => {
  const bed = openBed(options);
  const client = bed.createClient({ auth: 'ada' });
  await bed.until(client.connect());
  await bed.until(client.room('a').join());
  const heard: [unknown, number][] = [];
  client.on('said', (payload, { seq }) => heard.push([payload, seq]));
  expect(await bed.until(bed.server.to('a', 'a').send('said', 'once'))).toEqual({ members: 1 });
  await bed.until(bed.server.to('a').send('said', 'next'));
  await bed.advance(100);
  expect(heard).toEqual([
    ['once', 1],
    ['next', 2],
  ]);
});

test('what cannot name a room throws, also where nobody is there to be moved', () => {
  const { server } = openBed(options);
  expect(() => server.toAll().join('$a')).toThrow(TypeError);
  expect(() => server.to('a').leave('')).toThrow('leave(room)');
});

test('what one codec cannot encode has been sent to nobody, also not to those before in another', async () => {
  const words = { encode: (text: string) => Buffer.from(text), decode: (bytes: Uint8Array) => `${bytes}` };
  const shy = payloadCodec({
    name: 'shy',
    encode(payload) {
      if (payload === 'no') throw new Error('not that');
      return words.encode(String(payload));
    },
    decode: words.decode,
  });
  const bed = openBed({ ...options, codecs: [json(), shy] });
  const plain = bed.createClient({ auth: 'ada' });
  const other = bed.createClient({ auth: 'ada', codec: shy });
  const heard: unknown[] = [];
  plain.on('said', (payload) => heard.push(payload));
  await bed.until(plain.connect());
  await bed.until(other.connect());
  const sent = bed.server.toUser('ada').send('said', 'no');
  await expect(bed.until(sent)).rejects.toMatchObject({ code: 'ERR_INVALID_PAYLOAD', delivery: 'unsent' });
  await bed.advance(100);
  expect(heard).toEqual([]);
});

test('a session that is ended as soon as it is there: nothing is told of it behind its end', async () => {
  const told: string[] = [];
  const bed = openBed({
    ...options,
    setup(server) {
      server.onSession((session) => {
        told.push('session');
        void session.end('full');
      });
      server.onAttach(() => told.push('attach'));
      server.onDetach(() => told.push('detach'));
      server.onSessionEnd(() => told.push('end'));
    },
  });
  const client = bed.createClient({ auth: 'ada', logger: silent });
  client.connect().catch(() => undefined);
  await bed.advance(10_000);
  expect(told).toEqual(['session', 'detach', 'end']);
  expect(client.getState()).toMatchObject({ status: 'failed', error: { reason: 'full' } });
});

test('what a user is not told, since too much waits or no codec has a word for it, is counted', async () => {
  const dropped: string[] = [];
  const codec = payloadCodec({
    name: 'silent',
    encode() {
      throw new Error('no word');
    },
    decode: () => undefined,
  });
  const bed = openBed({
    ...options,
    codecs: [json(), codec],
    observe: { dropped: ({ reason }) => dropped.push(reason) },
  });
  const { server } = bed;
  const wordless = bed.createClient({ auth: 'bob', codec });
  await bed.until(wordless.connect());
  await bed.until(server.toUser('bob').send('said', 1, { delivery: 'volatile' }));
  const client = bed.createClient({ auth: 'ada', logger: silent });
  await bed.until(client.connect());
  bed.cut(client);
  bed.refuse(client);
  await bed.settle();
  let members = 1;
  for (let n = 0; members > 0 && n < 2_000; n++) {
    ({ members } = await bed.until(server.toUser('ada').send('said', n)));
  }
  expect(dropped).toEqual(['volatile', 'outbox-full']);
});

test('what cannot be encoded is said with its code, also where the store has to be asked first', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const find = store.find.bind(store);
  vi.spyOn(store, 'find').mockImplementation((call) => Promise.resolve(find(call)) as never);
  const bare = bareServer({}, { shared: { clock, store } });
  const peer = bare.dial();
  peer.hello();
  await clock.advance(100);
  const ring: unknown[] = [];
  ring.push(ring);
  const { server } = bare;
  await clock.until(server.toAll().join('a', 'b'));
  for (const target of [server.toAll(), server.to('a', 'b'), server.to('a').except('c')]) {
    const sent = target.send('said', ring);
    await expect(clock.until(sent)).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      messageId: sent.id,
    });
  }
});

test('a log keeps of those who are left out only who could have read there', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const published = vi.spyOn(store, 'publish');
  const bare = bareServer({}, { shared: { clock, store } });
  const { server } = bare;
  const [both, quiet] = [bare.dial(), bare.dial()].map((peer) => {
    peer.hello();
    return welcomeOf(peer).s;
  }) as [string, string];
  await clock.until(server.toSession(both).join('a', 'quiet'));
  await clock.until(server.toSession(quiet).join('quiet'));
  expect(await clock.until(server.to('a').except('quiet').send('said', 1))).toEqual({ members: 0 });
  expect(published.mock.calls[0]?.[0].publication.except).toEqual(new Set([both]));
});
