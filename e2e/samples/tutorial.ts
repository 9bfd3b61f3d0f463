import http from 'node:http';
import { createClient, defineContract, isHoldfastError } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { createHoldfastServer, json, RejectError } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { prometheus } from '@holdfast/server/metrics';
import { msgpack as serverMsgpack } from '@holdfast/server/msgpack';
import express from 'express';
import { z } from 'zod';

// What tutorials on WebSockets have one write by hand, snippet by snippet.

const contract = defineContract({
  events: {
    message: z.object({ roomId: z.string().optional(), content: z.string() }),
    typing: z.object({ isTyping: z.boolean() }),
  },
  serverEvents: {
    notification: z.object({ message: z.string() }),
    user_joined: z.object({ userId: z.string() }),
    user_left: z.object({ userId: z.string() }),
    welcome: z.string(),
    announcement: z.string(),
  },
  clientEvents: { important: z.object({ data: z.string() }), admin_action: z.object({ action: z.string() }) },
  requests: { echo: { input: z.string(), output: z.string() } },
  presence: z.enum(['online', 'offline', 'away']),
});
const adminContract = defineContract({ clientEvents: { broadcast: z.string() } });

export function tutorialServer(secret: string) {
  const log: string[] = [];
  const app = express();
  const web = http.createServer(app);
  const metrics = prometheus();
  const server = createHoldfastServer({
    contract,
    auth: jwt({
      secret,
      audience: 'app',
      user: ({ sub, role }) => ({ id: String(sub), role: String(role) }),
    }),
    codecs: [json(), serverMsgpack()],
    heartbeat: { intervalMs: 30_000 },
    limits: { messagesPerSecond: 100 / 60, burst: 100 },
    observe: metrics,
  }).attach(web, { path: '/ws' });

  // Echo, broadcast except the sender, a welcome, what is told of ends and errors.
  server.onSession((session) => {
    void session.send('welcome', 'Welcome to the server!');
    void session.join(`user:${session.user.id}`);
  });
  server.handle('echo', (text) => `Echo: ${text}`);
  server.on('message', (message, { session }) => {
    server.toAll().except(session).send('message', message);
  });
  server.on('important', ({ data }) => void log.push(`important: ${data}`));
  server.onDetach((_session, { code }) => log.push(`detached ${code}`));
  server.onError((error) => log.push(`error ${String(error)}`));

  // Health, counters, metrics.
  app.use(server.operations({ metrics, allow: () => true }));

  // Rooms, members, sending to users and rooms, also from an HTTP route.
  server.rooms('*', { join: (_session, room) => !room.startsWith('user:'), publish: true, presence: true });
  app.post('/api/notify', express.json(), async (request, response) => {
    const sent = server.toUser(String(request.body.userId));
    await sent.send('notification', { message: String(request.body.message) });
    response.json({ success: true });
  });
  server.onSession(async (session) => {
    await session.join('room1', 'room2', 'room3');
    await session.leave('room1');
    log.push(`rooms ${[...session.rooms].sort().join()}`);
    server.to('room2').except(session).send('user_joined', { userId: session.user.id });
  });

  // Namespaces; what one handler hears, another namespace is told.
  const everybody = server.namespace('/chat', contract);
  const admins = server.namespace('/admin', adminContract);
  admins.use((session) => {
    if (session.user.role !== 'admin') throw new RejectError('Admin access required');
  });
  admins.onSession(() => log.push('admin connected'));
  admins.on('broadcast', (text) => void everybody.toAll().send('announcement', text));

  // Roles.
  server.on('admin_action', (_payload, { session }) => {
    if (session.user.role !== 'admin') throw new RejectError('Permission denied');
  });
  return { web, server, log };
}

/** Says what happened, line by line. */
export async function tutorialClient(url: string, token: string, say: (line: string) => void): Promise<void> {
  const client = createClient({
    url,
    contract,
    codec: msgpack(),
    auth: token,
    // Reconnecting, its events, its end.
    reconnect: { maxAttempts: 10, baseMs: 1000, capMs: 30_000 },
  });
  client.onState((state) => {
    if (state.status === 'reconnecting') say(`attempt ${state.attempt} of 10`);
    if (state.status === 'failed') say('given up');
  });
  const welcome = new Promise((resolve) => client.on('welcome', resolve));
  await client.connect();
  say(String(await welcome));
  say(await client.request('echo', 'Hello, server!'));

  // Typing, presence, acknowledgements with a timeout.
  const room = client.room('room-1');
  const away = new Promise((resolve) => {
    room.onMembers((members) => {
      if (members.some(({ presence }) => presence === 'away')) resolve('away');
    });
  });
  await room.join();
  await room.setPresence('away');
  say(String(await away));
  room.send('typing', { isTyping: true }, { delivery: 'volatile' });
  try {
    const { outcome } = await client.send('important', { data: 'critical' }, { timeoutMs: 5000 });
    say(outcome);
  } catch (error) {
    if (isHoldfastError(error, 'ERR_TIMEOUT')) say(error.delivery);
  }

  // A namespace that is not for everybody.
  const admins = client.namespace('/admin', adminContract);
  const chat = client.namespace('/chat', contract);
  const announced = new Promise((resolve) => chat.on('announcement', resolve));
  await chat.join();
  try {
    await admins.join();
    await admins.send('broadcast', 'tea');
    say(String(await announced));
  } catch (error) {
    if (isHoldfastError(error, 'ERR_REJECTED')) say(error.reason);
  }
  try {
    await client.send('admin_action', { action: 'restart' });
    say('done');
  } catch (error) {
    if (isHoldfastError(error, 'ERR_REJECTED')) say(error.reason);
  }
  await client.close();
}
