import type { Server as HttpServer } from 'node:http';
import { createClient } from '@holdfast/client';
import { stream } from '@holdfast/client/stream';
import { SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { admin, chat } from '../samples/chat-contract.js';
import { expressServer } from '../samples/express-server.js';
import { migratedClient, migratedServer, tellAll } from '../samples/migrate-socketio.js';
import { tutorialClient, tutorialServer } from '../samples/tutorial.js';
import { eventually, listening, soon } from './peers.js';

// Programs as applications write them: they compile, and do what they say.

const SECRET = 'a secret of thirty-two bytes or more';

const issue = (sub: string, audience: string, role = 'user'): Promise<string> =>
  new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));

async function up(http: HttpServer, server: { close(): Promise<void> }): Promise<number> {
  const port = await listening(http);
  onTestFinished(async () => {
    await server.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return port;
}

const post = (port: number, path: string, body: object = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

test('a chat beside an Express app', async () => {
  const { http, server, log } = expressServer(SECRET);
  const port = await up(http, server);
  const person = async (id: string, role?: string) => {
    const auth = await issue(id, 'chat', role);
    const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, contract: chat, auth });
    onTestFinished(() => client.close());
    const heard: string[] = [];
    client.on('announcement', ({ text, level }) => heard.push(`${level} ${text}`));
    client.on('notification', ({ title, at }) => heard.push(`${title} ${at instanceof Date}`));
    client.on('user_joined', ({ userId }) => heard.push(`joined ${userId}`));
    client.on('user_left', ({ userId }) => heard.push(`left ${userId}`));
    client.on('message', ({ text }, { from, room }) => heard.push(`${from} in ${room}: ${text}`));
    await soon(client.connect(), 'connected');
    await eventually(() => client.room('chat:lobby').getState().status === 'joined', 'in the lobby');
    return { client, heard };
  };
  const ada = await person('ada', 'admin');
  const bob = await person('bob');
  await eventually(() => ada.heard.includes('joined bob'), 'that Bob has come');

  await soon(bob.client.room('chat:lobby').send('message', { text: 'hello' }), 'a message in the room');
  await eventually(() => ada.heard.includes('bob in chat:lobby: hello'), 'what Bob says');
  await bob.client.send('markRead', { upTo: '7' });
  expect(log).toEqual(['bob says hello in chat:lobby', 'bob has read up to 7']);
  await expect(bob.client.room('chat:staff').join()).rejects.toMatchObject({ reason: 'join-not-allowed' });
  await ada.client.room('chat:staff').join();
  expect(await bob.client.request('me')).toEqual({ id: 'bob', role: 'user' });
  expect(await bob.client.request('history', { room: 'chat:lobby', limit: 2 })).toHaveLength(2);
  await expect(bob.client.request('history', { room: 'chat:staff' })).rejects.toMatchObject({
    reason: 'not-a-member',
  });
  for await (const { line } of stream(bob.client, 'export', { room: 'all' })) expect(line).toBe('all');

  expect(await (await post(port, '/api/notify/bob', { title: 'hi' })).json()).toEqual({ members: 1 });
  await eventually(() => bob.heard.includes('hi true'), 'the notification');
  expect(await (await fetch(`http://127.0.0.1:${port}/ws/stats`)).json()).toMatchObject({ connections: 2 });
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('holdfast_connections 2');

  const bobs = bob.client.namespace('/admin', admin);
  await expect(bobs.join()).rejects.toMatchObject({ code: 'ERR_REJECTED', reason: 'admin-only' });
  const admins = ada.client.namespace('/admin', admin);
  await admins.join();
  await admins.send('broadcast', { text: 'maintenance' });
  await eventually(() => bob.heard.includes('info maintenance'), 'the announcement');

  bob.client.handle('confirm', ({ question }) => ({ yes: question === 'Really?' }));
  void bob.client.send('leave');
  await eventually(() => bob.client.getState().status === 'failed', 'that Bob has left');
  await eventually(() => ada.heard.includes('left bob'), 'that Ada is told');
  expect(log.at(-1)).toMatch(/^bob \(user\) ended, \d+ undelivered$/);
  const zoe = await person('zoe');
  expect(await admins.request('kick', { userId: 'zoe' })).toEqual({ sessions: 1 });
  await eventually(() => zoe.client.getState().status === 'failed', 'that Zoe was kicked');
  expect((await post(port, '/api/logout/ada')).status).toBe(204);
  await eventually(() => ada.client.getState().status === 'failed', 'that Ada is logged out');
});

test('the snippets of tutorials', async () => {
  const { web, server, log } = tutorialServer(SECRET);
  const port = await up(web, server);
  const url = `ws://127.0.0.1:${port}/ws`;
  const run = async (id: string, role: string): Promise<string[]> => {
    const said: string[] = [];
    await soon(
      tutorialClient(url, await issue(id, 'app', role), (line) => said.push(line)),
      'the client',
    );
    return said;
  };
  const start = ['Welcome to the server!', 'Echo: Hello, server!', 'away', 'acknowledged'];
  expect(await run('ada', 'admin')).toEqual([...start, 'tea', 'done']);
  expect(await run('bob', 'user')).toEqual([...start, 'Admin access required', 'Permission denied']);
  await eventually(() => log.filter((line) => line.startsWith('detached')).length === 2, 'both are gone');
  expect(log.filter((line) => !line.startsWith('detached'))).toEqual([
    'rooms room2,room3,user:ada',
    'important: critical',
    'admin connected',
    'rooms room2,room3,user:bob',
    'important: critical',
  ]);
  const watching = createClient({ url, contract: undefined, auth: await issue('eve', 'app') });
  onTestFinished(() => watching.close());
  const notified = new Promise((resolve) => watching.on('notification', resolve));
  for (const event of ['welcome', 'message', 'user_joined']) watching.on(event, () => undefined);
  await watching.connect();
  expect(await (await post(port, '/api/notify', { userId: 'eve', message: 'x' })).json()).toEqual({
    success: true,
  });
  expect(await soon(notified, 'the notification')).toEqual({ message: 'x' });
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
});

test('an app that came from Socket.IO', async () => {
  const { httpServer, io, log } = migratedServer();
  const port = await up(httpServer, io);
  const url = `http://127.0.0.1:${port}/realtime`;
  const heard: string[] = [];
  const stranger = migratedClient(url, 'nobody', []);
  onTestFinished(() => stranger.close());
  await expect(soon(stranger.connect(), 'the refusal')).rejects.toMatchObject({ reason: 'invalid-token' });

  const socket = migratedClient(url, 't-ada', heard);
  const other = migratedClient(url, 't-ada', []);
  onTestFinished(() => socket.close());
  onTestFinished(() => other.close());
  await soon(socket.connect(), 'connected');
  await soon(other.connect(), 'connected');
  expect(await socket.request('me')).toEqual({ id: 'u1', role: 'user' });
  await socket.room('chat:lobby').join();
  await other.send('message', { text: 'from the other device' });
  await eventually(() => heard.includes('message from the other device'), 'what the other device says');
  await socket.room('room1').join();
  expect(await tellAll({ io })).toBe(1);
  await eventually(() => socket.getState().status === 'failed', 'that the room was kicked');
  expect(heard).toEqual([
    'connect, recovered: false',
    'message from the other device',
    'info: hello',
    'message x',
    'failed: ERR_SESSION_ENDED',
  ]);
  await eventually(() => log.includes('gone Ada ended'), 'that the server is told');
  expect(log).toEqual(['connected Ada', 'connected Ada', 'link lost Ada 4401', 'gone Ada ended']);
});
