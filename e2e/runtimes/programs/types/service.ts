// What a service would import.
import { createServer } from 'node:http';
import { createClient } from '@holdfast/client';
import { fileOutbox } from '@holdfast/client/storage-file';
import { redis } from '@holdfast/redis';
import { createHoldfastServer, json, RejectError } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { prometheus } from '@holdfast/server/metrics';
import { msgpack } from '@holdfast/server/msgpack';
import { createTestbed } from '@holdfast/testing';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';

const server = createHoldfastServer({
  auth: jwt({ secret: 'x'.repeat(32), audience: 'chat' }),
  codecs: [json(), msgpack()],
  cluster: redis({ url: 'redis://localhost' }),
  observe: prometheus(),
});
server.rooms('chat:*', {
  join: true,
  publish: ({ user }) => {
    if (user.id === '') throw new RejectError('nobody');
    return true;
  },
});
server.on('message', (payload, { session }) => void session.send('echo', payload));
server.attach(createServer());
// @ts-expect-error: there is no such option.
createHoldfastServer({ secret: 'x' });
export const client = createClient({
  url: 'ws://localhost:3000',
  outbox: { storage: fileOutbox({ path: 'x', userId: 'u' }) },
});
export const kit = [createTestbed, createTcpProxy];
