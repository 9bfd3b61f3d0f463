import { createServer } from 'node:http';
import { createHoldfastServer, RejectError } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { prometheus } from '@holdfast/server/metrics';
import express from 'express';
import { admin, chat } from './chat-contract.js';

/** A chat beside an Express app: rooms, users to notify, an admin's namespace, health and metrics. */
export function expressServer(secret: string) {
  const app = express();
  const http = createServer(app);
  const metrics = prometheus();
  const log: string[] = [];
  const server = createHoldfastServer({
    contract: chat,
    auth: jwt({
      secret,
      audience: 'chat',
      user: ({ sub, role }) => ({
        id: String(sub),
        role: role === 'admin' ? ('admin' as const) : ('user' as const),
      }),
    }),
    origins: ['https://example.com'],
    observe: metrics,
  }).attach(http);

  server.rooms('chat:*', {
    join: (session, room) => session.user.role === 'admin' || room !== 'chat:staff',
    publish: true,
    presence: true,
    history: { maxMessages: 500 },
  });
  server.use((session, { request, resumed }) => {
    if (request?.headers['x-banned'] && !resumed) throw new RejectError('banned', { data: session.user.id });
  });
  server.onSession(async (session) => {
    await session.join('chat:lobby');
    server.to('chat:lobby').except(session).send('user_joined', { userId: session.user.id });
  });
  server.onSessionEnd((session, { reason, undelivered }) => {
    log.push(`${session.user.id} (${session.user.role}) ${reason}, ${undelivered} undelivered`);
    for (const room of session.rooms) server.to(room).send('user_left', { userId: session.user.id });
  });
  server.on('markRead', ({ upTo }, { session, redelivered }) => {
    log.push(`${session.user.id} has read up to ${upTo}${redelivered ? ', perhaps twice' : ''}`);
  });
  server.on('message', ({ text }, { session, room }) => {
    log.push(`${session.user.id} says ${text} in ${room}`);
  });
  server.handle('history', async ({ room, limit }, { session, signal }) => {
    if (!session.rooms.has(room)) throw new RejectError('not-a-member');
    signal.throwIfAborted();
    return Array.from({ length: Math.min(limit, 3) }, (_, index) => ({
      id: String(index),
      text: 'x',
      from: session.user.id,
    }));
  });
  server.handle('me', (_input, { session }) => session.user);
  server.handleStream('export', async function* ({ room }) {
    yield { line: room };
  });

  // The server asks a client.
  server.on('leave', async (_payload, { session }) => {
    const { yes } = await session.request('confirm', { question: 'Really?' }, { timeoutMs: 10_000 });
    if (yes) await session.end('left');
  });

  // A namespace with a middleware of its own.
  const admins = server.namespace('/admin', admin);
  admins.use((session) => {
    if (session.user.role !== 'admin') throw new RejectError('admin-only');
  });
  admins.on('broadcast', ({ text }) => void server.toAll().send('announcement', { text }));
  admins.handle('kick', async ({ userId }) => {
    const sessions = await server.toUser(userId).sessions();
    await server.toUser(userId).end('kicked');
    return { sessions: sessions.length };
  });

  // HTTP routes: notify a user on all devices, log out everywhere.
  app.use(server.operations({ metrics, allow: () => true }));
  app.post('/api/notify/:userId', express.json(), async (request, response) => {
    const { members } = await server.toUser(request.params.userId).send('notification', {
      title: String(request.body.title),
      at: new Date().toISOString(),
    });
    response.json({ members });
  });
  app.post('/api/logout/:userId', async (request, response) => {
    await server.toUser(request.params.userId).end('logout');
    response.sendStatus(204);
  });
  app.get('/ws/stats', (_request, response) => void response.json(server.stats()));

  return { http, server, log };
}
