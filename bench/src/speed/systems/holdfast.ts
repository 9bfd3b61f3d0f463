import { type Codec, createClient, type HoldfastClient } from '@holdfast/client';
import { createClient as createLiteClient, type LiteClient } from '@holdfast/client/lite';
import { msgpack } from '@holdfast/client/msgpack';
import { createHoldfastServer, json } from '@holdfast/server';
import { prometheus } from '@holdfast/server/metrics';
import { msgpack as serverMsgpack } from '@holdfast/server/msgpack';
import {
  type ClientEnd,
  type End,
  HOST,
  type Payload,
  RECONNECT,
  type ServerEnd,
  type System,
} from '../system.js';

/** What went wrong would be measured as something else. */
const fail = (error: Error): void => {
  throw error;
};

/** Of the others, too, the queues are as long as they like. */
const OUTBOX = { maxMessages: 100_000, maxBytes: 2 ** 28 };

async function serve(hear: Parameters<System['serve']>[0]): Promise<ServerEnd> {
  const server = createHoldfastServer({
    codecs: [json(), serverMsgpack()],
    observe: prometheus(),
    outbox: OUTBOX,
    // Raised for the load, not switched off.
    limits: {
      messagesPerSecond: 1_000_000,
      userMessagesPerSecond: 4_000_000,
      burst: 1_000_000,
      connectionsPerUser: 100_000,
      acceptPerSecond: 100_000,
    },
  });
  server.rooms('all', { join: true });
  const ends = new WeakMap<object, End>();
  server.on('say', (payload, { session }) => {
    const end = ends.get(session) ?? { send: (answer) => void session.send('say', answer).catch(fail) };
    ends.set(session, end);
    hear(payload as Payload, end);
  });
  server.on('note', () => undefined);
  server.handle('ask', (payload) => payload);
  const { port } = await server.listen(0, HOST);
  return { port, publish: (payload) => void server.to('all').send('say', payload).catch(fail) };
}

/** Either client, as far as it is measured. */
type Dialled = HoldfastClient | LiteClient;

const dialWith =
  (open: (url: string) => Dialled): System['dial'] =>
  async (port, hear, subscribed): Promise<ClientEnd> => {
    const client = open(`ws://${HOST}:${port}/realtime`);
    client.on('say', (payload) => hear(payload as Payload));
    client.onUndelivered((_message, error) => fail(error));
    client.onGap(({ reason }) => fail(new Error(`a gap: ${reason}`)));
    await client.connect();
    if (subscribed) await client.room('all').join();
    return {
      send: (payload) => void client.send('say', payload),
      request: (payload) => client.request('ask', payload),
      acknowledged: async (payload) => client.send('note', payload),
    };
  };

const BACKOFF = { baseMs: RECONNECT.minMs, capMs: RECONNECT.maxMs };

const dialWhole = (codec: () => Codec): System['dial'] =>
  dialWith((url) =>
    createClient({ url, codec: codec(), outbox: OUTBOX, reconnect: { ...BACKOFF, minUptimeMs: 0 } }),
  );

const about = 'acknowledged, numbered, resumable; limits raised, metrics on';

export const holdfast: System = {
  key: 'holdfast',
  packages: ['@holdfast/client'],
  how: `JSON; ${about}`,
  page: () => "export { createClient } from '@holdfast/client'",
  serve,
  dial: dialWhole(json),
};

export const holdfastMsgpack: System = {
  key: 'holdfast, msgpack',
  packages: ['@holdfast/client'],
  how: `MessagePack; ${about}`,
  page: () =>
    "export { createClient } from '@holdfast/client'; export { msgpack } from '@holdfast/client/msgpack'",
  serve,
  dial: dialWhole(msgpack),
};

export const holdfastLite: System = {
  key: 'holdfast, lite',
  packages: ['@holdfast/client'],
  how: `JSON, the small client; ${about}`,
  page: () => "export { createClient } from '@holdfast/client/lite'",
  serve,
  dial: dialWith((url) => createLiteClient({ url, outbox: OUTBOX, reconnect: BACKOFF })),
};
