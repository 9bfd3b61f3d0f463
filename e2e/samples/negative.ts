// What must not compile, and what must: checked by `npm test` with the types, never run.
import {
  type ClientConnection,
  createClient,
  defineContract,
  type HoldfastClient,
  type HoldfastError,
  isHoldfastError,
} from '@holdfast/client';
import { createClient as createLiteClient, type LiteClient } from '@holdfast/client/lite';
import { stream } from '@holdfast/client/stream';
import { createHoldfastServer } from '@holdfast/server';
import { z } from 'zod';
import { admin, type Chat, chat } from './chat-contract.js';

const client = createClient({ url: 'wss://example.com', contract: chat });
const server = createHoldfastServer({
  contract: chat,
  auth: async (token) => ({ user: { id: token ?? '?', plan: 'pro' as const } }),
});
const use = (..._values: unknown[]): void => undefined;

export function compiles(): void {
  client.send('leave');
  client.send('leave', undefined, { ttlMs: 5 });
  const me: Promise<{ id: string; role: 'user' | 'admin' }> = client.request('me');
  client.on('notification', ({ at }) => at.getTime());
  server.toAll().send('announcement', { text: 'x' });
  client.on('announcement', ({ level }) => {
    const said: 'info' | 'alert' = level;
    use(said);
  });
  const banner = (one: ClientConnection) => one.getState().status;
  use(banner(client), banner(createClient({ url: '/x' })), me);
  client.on('message', (_payload, { redelivered }) => use(redelivered satisfies boolean), {
    once: true,
    signal: AbortSignal.timeout(5),
  });
  const same: HoldfastClient<Chat> = client;
  use(same);
  server.onSession(({ user }) => use(user.plan satisfies 'pro'));
  const admins = client.namespace('/admin', admin);
  admins.send('broadcast', { text: 'x' });
  client.namespace<typeof admin>('/admin').send('broadcast', { text: 'types only' });
}

export function names(): void {
  // @ts-expect-error no such event
  client.send('mesage', { text: 'x' });
  // @ts-expect-error no such event
  client.on('mesage', () => undefined);
  // @ts-expect-error no such request
  client.request('histroy', { room: 'x' });
  // @ts-expect-error no such stream
  stream(client, 'history', { room: 'x' });
  // @ts-expect-error an event of the client, not of this namespace
  client.namespace('/admin', admin).send('message', { text: 'x' });
  // @ts-expect-error a namespace begins with a slash
  client.namespace('admin');
  // @ts-expect-error a namespace begins with a slash
  server.namespace('admin');
}

export function payloads(): void {
  // @ts-expect-error wrong type
  client.send('message', { text: 1 });
  // @ts-expect-error missing
  client.send('message', {});
  // @ts-expect-error no payload
  client.send('message');
  // @ts-expect-error too much
  client.send('message', { text: 'x', room: 'lobby' });
  // @ts-expect-error a payload where none is
  client.send('leave', { text: 'x' });
  // @ts-expect-error valibot's types count
  client.send('typing', { isTyping: 'yes' });
  // @ts-expect-error arktype's types count
  client.send('markRead', { upTo: 3 });
  // @ts-expect-error wrong input
  client.request('history', { rooom: 'x' });
  // @ts-expect-error presence has a schema
  client.room('x').setPresence({ status: 'busy' });
}

export function directions(): void {
  // @ts-expect-error for the server only
  client.send('notification', { title: 'x', at: 'now' });
  // @ts-expect-error a client never hears it
  client.on('markRead', () => undefined);
  // @ts-expect-error for clients only
  server.toUser('u').send('markRead', { upTo: 'x' });
  // @ts-expect-error the server never hears its own events
  server.on('notification', () => undefined);
  // @ts-expect-error the client asks this one
  server.onSession((session) => session.request('history', { room: 'x' }));
  // @ts-expect-error the server asks this one
  client.request('confirm', { question: 'x' });
  // @ts-expect-error the client does not answer it
  client.handle('history', () => []);
  // @ts-expect-error only events of both directions may be published in a room
  client.room('chat:a').send('markRead', { upTo: 'x' });
}

export function replies(): void {
  // @ts-expect-error wrong reply
  client.handle('confirm', () => ({ yes: 'no' }));
  // @ts-expect-error wrong reply, later
  server.handle('history', async () => [{ id: 1 }]);
  // @ts-expect-error no reply
  server.handle('me', async () => undefined);
  // @ts-expect-error a promise is not its value
  use(client.request('history', { room: 'x' }).length);
  // @ts-expect-error a promise is not its value
  use(client.send('message', { text: 'x' }).outcome);
}

export function options(): void {
  // @ts-expect-error unknown option
  createClient({ url: '/x', reconect: {} });
  // @ts-expect-error seconds are no option
  createClient({ url: '/x', reconnect: { base: 1 } });
  // @ts-expect-error there is no such delivery
  client.send('message', { text: 'x' }, { delivery: 'qos2' });
  // @ts-expect-error not an event that a client sends
  createClient<Chat>({ url: '/x', delivery: { notification: 'latest' } });
  // @ts-expect-error the user has no role here
  server.onSession(({ user }) => user.role);
  // @ts-expect-error only while reconnecting
  use(client.getState().retryAt);
  // @ts-expect-error not a schema
  defineContract({ events: { message: { text: 'string' } } });
  // @ts-expect-error a request needs both
  defineContract({ requests: { r: { input: z.string() } } });
  // @ts-expect-error no such group
  defineContract({ event: { m: z.string() } });
  // @ts-expect-error another contract
  const other: HoldfastClient<Chat> = createClient({
    url: '/x',
    contract: defineContract({ events: { a: z.string() } }),
  });
  use(other);
}

const lite = createLiteClient<Chat>({ url: 'wss://example.com' });

/** What compiles for the small client compiles for the whole one. */
export function small(one: LiteClient<Chat>): void {
  one.send('leave');
  one.send('leave', undefined, { timeoutMs: 5, id: 'mine' });
  const me: Promise<{ id: string; role: 'user' | 'admin' }> = one.request('me');
  one.on('announcement', ({ level }, { room }) => use(level satisfies 'info' | 'alert', room));
  one.handle('confirm', async ({ question }) => ({ yes: question !== '' }));
  const room = one.room('chat:a');
  room.on('notification', ({ at }) => at.getTime());
  use(room.send('message', { text: 'x' }), room.join(), room.getState().status, room.leave());
  use(one.onState, one.onGap, one.onUndelivered, one.onSessionLost, one.onError, me);
  use(one.connect(), one.disconnect(), one.close());
}
use(() => [lite, client].map(small));

export function smaller(): void {
  // @ts-expect-error no such event
  lite.send('mesage', { text: 'x' });
  // @ts-expect-error wrong type
  lite.send('message', { text: 1 });
  // @ts-expect-error no payload
  lite.room('chat:a').send('message');
  // @ts-expect-error a client never hears it
  lite.room('chat:a').on('markRead', () => undefined);
  // @ts-expect-error wrong input
  lite.request('history', { rooom: 'x' });
  // @ts-expect-error a promise is not its value
  use(lite.request('history', { room: 'x' }).length);
  // @ts-expect-error wrong reply
  lite.handle('confirm', () => ({ yes: 'no' }));
  // @ts-expect-error all is reliable
  lite.send('message', { text: 'x' }, { delivery: 'volatile' });
  // @ts-expect-error types are all that it has of a contract
  createLiteClient({ url: '/x', contract: chat });
  // @ts-expect-error it has no streams
  stream(lite, 'export', { room: 'x' });
  // @ts-expect-error it knows no members
  use(lite.room('chat:a').members);
  // @ts-expect-error another contract
  const other: LiteClient<typeof admin> = lite;
  use(other);
}

/** Codes that no member of the union has. */
type Missing = {
  [K in HoldfastError['code']]: [Extract<HoldfastError, { code: K }>] extends [never] ? K : never;
}[HoldfastError['code']];

export function errors(error: unknown): void {
  const none: [Missing] extends [never] ? true : Missing = true;
  use(none);
  if (isHoldfastError(error, 'ERR_TIMEOUT')) use(error.delivery satisfies 'unsent' | 'unknown');
  if (isHoldfastError(error) && 'delivery' in error) {
    use(error.delivery satisfies 'unsent' | 'unknown' | 'rejected');
  }
  // @ts-expect-error not every error has a delivery
  if (isHoldfastError(error)) use(error.delivery);
  // @ts-expect-error no such code
  if (isHoldfastError(error, 'ERR_NOPE')) use(error);
}
