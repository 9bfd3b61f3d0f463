import {
  type ClientConnection,
  type ContractType,
  createClient,
  defineContract,
  type EventPayload,
  type HoldfastClient,
  type HoldfastError,
  isHoldfastError,
  type Schema,
} from '@holdfast/client';
import { createHoldfastServer } from '@holdfast/server';
import { expect, test } from 'vitest';

/**
 * What an application's compiler has to accept and to refuse. Checked by the type check: an `@ts-expect-error` above
 * a line that compiles is an error itself. The functions are never run.
 */
const of = <In, Out = In>(): Schema<In, Out> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Out }) },
});

const def = defineContract({
  version: 2,
  minVersion: 1,
  events: { message: of<{ text: string }>(), typing: of<{ isTyping: boolean }>() },
  clientEvents: { markRead: of<{ upTo: string }>(), leave: of<void>() },
  serverEvents: {
    notification: of<{ title: string; at: unknown }, { title: string; at: Date }>(),
    announcement: of<{ text: string; level?: 'info' | 'alert' }, { text: string; level: 'info' | 'alert' }>(),
  },
  requests: {
    history: {
      input: of<{ room: string; limit?: number }, { room: string; limit: number }>(),
      output: of<{ id: string }[]>(),
    },
    me: { input: of<void>(), output: of<{ id: string; role: 'user' | 'admin' }>() },
  },
});
interface Chat extends ContractType<typeof def> {}
const chat: Chat = def;

const client = createClient({ url: 'wss://x', contract: chat });
const makeServer = () =>
  createHoldfastServer({
    contract: chat,
    auth: async (token) => ({ user: { id: token ?? '?', plan: 'pro' as const } }),
  });

export function accepted(server: ReturnType<typeof makeServer>) {
  client.send('leave');
  client.send('leave', undefined, { ttlMs: 5 });
  const me: Promise<{ id: string; role: 'user' | 'admin' }> = client.request('me');
  client.on('notification', ({ at }) => at.getTime());
  server.to('x').send('announcement', { text: 'input type: level has a default' });
  client.on('announcement', ({ level }) => {
    const narrowed: 'info' | 'alert' = level;
    return narrowed;
  });
  client.on('message', (_payload, { from, seq }) => [from, seq], {
    once: true,
    signal: AbortSignal.timeout(5),
  });
  const banner = (connection: ClientConnection) => connection.getState().status;
  banner(client);
  banner(createClient({ url: '/x' }));
  server.onSession((session) => {
    const plan: 'pro' = session.user.plan;
    return plan;
  });
  const typesOnly: HoldfastClient<Chat> = createClient<Chat>({ url: '/x' });
  const payload: EventPayload<Chat, 'message'> = { text: 'x' };
  const untyped = createClient({ url: '/x' });
  untyped.on('anything', (anything: unknown) => anything);
  untyped.send('ping');
  return { me, typesOnly, payload };
}

export function names() {
  // @ts-expect-error no such event
  client.send('mesage', { text: 'x' });
  // @ts-expect-error no such event
  client.on('mesage', () => undefined);
  // @ts-expect-error no such request
  void client.request('histroy', { room: 'x' });
  // @ts-expect-error not an event
  type Bad = EventPayload<Chat, 'nope'>;
  return undefined as unknown as Bad;
}

export function payloads() {
  // @ts-expect-error wrong type
  client.send('message', { text: 1 });
  // @ts-expect-error missing
  client.send('message', {});
  // @ts-expect-error no payload given
  client.send('message');
  // @ts-expect-error excess property
  client.send('message', { text: 'x', room: 'lobby' });
  // @ts-expect-error a payload where none is
  client.send('leave', { text: 'x' });
  // @ts-expect-error wrong input
  void client.request('history', { rooom: 'x' });
  // @ts-expect-error a promise is not its value
  void client.request('history', { room: 'x' }).length;
  // @ts-expect-error a promise is not its value
  void client.send('message', { text: 'x' }).outcome;
}

export function directions(server: ReturnType<typeof makeServer>) {
  // @ts-expect-error server only
  client.send('notification', { title: 'x', at: 'now' });
  // @ts-expect-error client only: a client never hears it
  client.on('markRead', () => undefined);
  // @ts-expect-error client only
  server.to('u').send('markRead', { upTo: 'x' });
  // @ts-expect-error the server never hears its own events
  server.on('notification', () => undefined);
  // @ts-expect-error only two-way events may be published in a room
  client.room('chat:a').send('markRead', { upTo: 'x' });
  // @ts-expect-error wrong reply, async
  server.handle('history', async () => [{ id: 1 }]);
  // @ts-expect-error forgotten reply
  server.handle('me', async () => undefined);
}

export function optionsAndStates(server: ReturnType<typeof makeServer>) {
  // @ts-expect-error unknown option
  createClient({ url: '/x', reconect: {} });
  // @ts-expect-error seconds are not an option
  createClient({ url: '/x', reconnect: { base: 1 } });
  // @ts-expect-error the user has no role here
  server.onSession((session) => session.user.role);
  // @ts-expect-error only when reconnecting
  void client.getState().retryAt;
  // @ts-expect-error not a schema
  defineContract({ events: { message: { text: 'string' } } });
  // @ts-expect-error a request needs both
  defineContract({ requests: { r: { input: of<string>() } } });
  // @ts-expect-error misspelt group
  defineContract({ event: { m: of<string>() } });
  // @ts-expect-error another contract
  const other: HoldfastClient<Chat> = createClient({
    url: '/x',
    contract: defineContract({ events: { a: of<string>() } }),
  });
  return other;
}

/** Every code has a member of the union to itself, or `Extract` finds none. */
type Unfound = {
  [K in HoldfastError['code']]: [Extract<HoldfastError, { code: K }>] extends [never] ? K : never;
}[HoldfastError['code']];
const allFound: [Unfound] extends [never] ? true : Unfound = true;

export function errors(error: unknown) {
  if (isHoldfastError(error, 'ERR_TIMEOUT')) {
    const delivery: 'unsent' | 'unknown' = error.delivery;
    return delivery;
  }
  if (isHoldfastError(error) && 'delivery' in error) {
    const delivery: 'unsent' | 'unknown' | 'rejected' = error.delivery;
    return delivery;
  }
  // @ts-expect-error only delivery errors have a delivery
  if (isHoldfastError(error)) return error.delivery;
  // @ts-expect-error no such code
  return isHoldfastError(error, 'ERR_NOPE');
}

export async function narrowing() {
  if (client.getState().status === 'connected') return true;
  await client.connect();
  // A property would still be narrowed to "not connected" here.
  return client.getState().status === 'connected';
}

test('every error code is told apart', () => {
  expect(allFound).toBe(true);
  expect(client.contract).toBe(chat);
});
