import { createHoldfastServer, type HoldfastServer, json, RejectError } from '@holdfast/server';
import { msgpack } from '@holdfast/server/msgpack';

/** The application of docs/conformance.md on our own server: what the suite needs to see what a server does. */
export function conformanceServer(): HoldfastServer {
  const server = createHoldfastServer({
    auth: (token) => {
      if (token === 'conformance:refused') throw new RejectError('conformance');
      if (token === 'conformance:expired') throw new RejectError('expired');
      const [, ms] = /^conformance:expires:(-?\d+)$/.exec(token ?? '') ?? [];
      if (ms !== undefined) return { user: { id: 'conformance:mortal' }, expiresAt: Date.now() + Number(ms) };
      return { user: { id: token ?? 'conformance:guest' } };
    },
    codecs: [json(), msgpack()],
    // The suite fills windows to see what they hold, and its connections are of few users.
    limits: { messagesPerSecond: Infinity, connectionsPerUser: 10_000 },
    // So that liveness can be seen without waiting long.
    heartbeat: { intervalMs: 2_000 },
  });
  const lists = new Map<string, unknown[]>();
  const note = (payload: unknown): void => {
    const { list, value } = payload as { list: string; value: unknown };
    lists.set(list, [...(lists.get(list) ?? []), value]);
  };
  server.on('conformance:note', note);
  server.handle('conformance:noted', (list) => lists.get(String(list)) ?? []);
  server.on('conformance:refuse', () => {
    throw new RejectError('conformance');
  });
  server.on('conformance:send', (count, { session }) => {
    for (let value = 1; value <= Number(count); value++) void session.send('conformance:event', value);
  });
  server.on('conformance:ask', async (payload, { session }) => {
    const { data, timeoutMs } = payload as { data: unknown; timeoutMs: number };
    const asked = session.request('conformance:question', data, { timeoutMs });
    const end = await asked.then(
      (answer) => ({ data, answer }),
      ({ code }: { code: string }) => ({ data, code }),
    );
    void session.send('conformance:asked', end);
  });
  server.handle('conformance:echo', (input) => input);
  server.handle('conformance:slow', async (payload) => {
    const { ms, list } = payload as { ms: number; list: string };
    lists.set(list, [...(lists.get(list) ?? []), 'asked']);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return list;
  });
  server.handleStream('conformance:count', async function* (count) {
    for (let value = 1; value <= Number(count); value++) yield value;
  });
  server.handleStream('conformance:break', async function* (count) {
    for (let value = 1; value <= Number(count); value++) yield value;
    throw new RejectError('conformance', { data: { after: count } });
  });
  server.handleStream('conformance:endless', async function* (list, { signal }) {
    signal.addEventListener('abort', () => lists.set(String(list), ['left']));
    for (let value = 1; ; value++) yield value;
  });
  server.rooms('conformance:*', { join: true, publish: true });
  server.rooms('conformance:here-*', { join: true, publish: true, presence: true });
  server.rooms('conformance:past-*', { join: true, publish: true, history: { onJoin: 2 } });
  server.rooms('conformance:closed', { join: false });
  server.rooms('conformance:sure-*', {
    join: async (session) => (await session.request('conformance:question', 'join')) === 'yes',
  });
  const inside = server.namespace('/conformance');
  inside.on('note', note);
  inside.handle('echo', (input) => input);
  inside.rooms('*', { join: true, publish: true });
  server.namespace('/conformance-closed').use(() => {
    throw new RejectError('conformance');
  });
  return server;
}
