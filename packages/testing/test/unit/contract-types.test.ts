import { type ContractType, createClient, defineContract, isHoldfastError } from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';
import { type } from 'arktype';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** As `types.test.ts`, with the libraries that make schemas: three of them in one contract. The functions are never run. */
const def = defineContract({
  version: 2,
  minVersion: 1,
  events: {
    message: z.object({ text: z.string().max(2000) }),
    typing: v.object({ isTyping: v.boolean() }),
  },
  clientEvents: { markRead: type({ upTo: 'string' }), leave: z.void() },
  serverEvents: {
    notification: z.object({ title: z.string(), at: z.coerce.date() }),
    announcement: z.object({ text: z.string(), level: z.enum(['info', 'alert']).default('info') }),
    moved: v.object({ at: v.pipe(v.string(), v.transform(Number)) }),
  },
  requests: {
    history: {
      input: z.object({ room: z.string(), limit: z.number().default(50) }),
      output: z.array(z.object({ id: z.string() })),
    },
    count: { input: v.optional(v.string()), output: type({ n: 'number' }) },
  },
  presence: z.object({ typing: z.boolean().default(false) }),
});
interface Chat extends ContractType<typeof def> {}
const chat: Chat = def;
const client = createClient({ url: 'wss://x', contract: chat });
const makeServer = () => createHoldfastServer({ contract: chat });

export function inputsAndOutputs(server: ReturnType<typeof makeServer>) {
  client.on('notification', ({ at }) => at.getTime());
  client.on('moved', ({ at }) => at.toFixed());
  client.on('announcement', ({ level }) => {
    const narrowed: 'info' | 'alert' = level;
    return narrowed;
  });
  server.to('r').send('announcement', { text: 'x' });
  server.to('r').send('moved', { at: '5' });
  server.on('markRead', ({ upTo }) => upTo.length);
  server.handle('history', ({ limit }) => [{ id: limit.toFixed() }]);
  const counted: Promise<{ n: number }> = client.request('count');
  void client.request('count', 'x');
  return counted;
}

export function presence() {
  const room = client.room('lobby');
  const typists: (string | false)[] = room.members.map(
    ({ userId, presence }) => (presence?.typing && userId) || false,
  );
  room.onMembers((members) => members[0]?.presence?.typing);
  room.setPresence({});
  room.setPresence({ typing: true });
  // @ts-expect-error wrong type
  room.setPresence({ typing: 'yes' });
  // @ts-expect-error no such field
  room.members[0]?.presence?.mood;
  // @ts-expect-error a state is what is told
  room.setPresence();
  // Without a contract it may be anything.
  createClient({ url: 'wss://x' }).room('lobby').setPresence(5);
  // @ts-expect-error no schema
  defineContract({ presence: {} });
  return typists;
}

export function payloads(server: ReturnType<typeof makeServer>) {
  // @ts-expect-error zod: wrong type
  client.send('message', { text: 1 });
  // @ts-expect-error zod: excess property
  client.send('message', { text: 'x', room: 'lobby' });
  // @ts-expect-error zod: no payload given
  client.send('message');
  // @ts-expect-error zod: a payload where none is
  client.send('leave', { text: 'x' });
  // @ts-expect-error valibot's types count
  client.send('typing', { isTyping: 'yes' });
  // @ts-expect-error arktype's types count
  client.send('markRead', { upTo: 3 });
  // @ts-expect-error the sender passes the input of a transform
  server.to('r').send('moved', { at: 5 });
  // @ts-expect-error the listener gets the output of a transform
  client.on('moved', ({ at }) => at.length);
  // @ts-expect-error wrong input
  void client.request('history', { rooom: 'x' });
  // @ts-expect-error wrong reply
  server.handle('history', () => [{ id: 1 }]);
  // @ts-expect-error wrong reply, arktype
  server.handle('count', () => ({ n: 'many' }));
  // @ts-expect-error client only: a client never hears it
  client.on('markRead', () => undefined);
}

export function versions(error: unknown) {
  const version: number = chat.version;
  if (isHoldfastError(error, 'ERR_CONTRACT_VERSION')) return error.serverVersion.toFixed();
  // @ts-expect-error no other error has it
  if (isHoldfastError(error, 'ERR_PROTOCOL')) return error.serverVersion;
  // @ts-expect-error a version is a number
  defineContract({ version: '2' });
  // @ts-expect-error misspelt
  defineContract({ versions: 2 });
  return version;
}

export function withoutContract() {
  const untyped = createClient({ url: 'wss://x' });
  untyped.on('anything', (payload) => {
    // @ts-expect-error unknown until somebody has looked
    return payload.text;
  });
  // @ts-expect-error unknown until somebody has looked
  void untyped.request('anything').then((reply) => reply.text);
  const server = createHoldfastServer();
  server.on('anything', (payload) => {
    // @ts-expect-error unknown until somebody has looked
    return payload.text;
  });
}

test('a contract carries its version', () => {
  expect(chat.version).toBe(2);
  expect(client.contract).toBe(chat);
});
