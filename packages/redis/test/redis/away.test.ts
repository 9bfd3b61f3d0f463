import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RedisServer, redisProgram, startRedis } from '../../../../test/redis-server.js';
import { begin, claimed, events, notesOf, Talk } from '../../../../test/session-store/harness.js';
import { RedisStore } from '../../src/redis-store.js';
import { connectionTo, random } from './harness.js';

const SOON_MS = 300;

describe.skipIf(!redisProgram)('a Redis that is away', () => {
  const servers: RedisServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (port?: number) => {
    const server = port === undefined ? await startRedis() : await startRedis('--port', `${port}`);
    servers.push(server);
    return server;
  };
  const connect = (url: string, commandTimeoutMs = SOON_MS) => {
    const connection = connectionTo({ url }, commandTimeoutMs);
    onTestFinished(() => connection.close());
    const store = new RedisStore(connection, random, { prefix: 't:', durability: 'node', leaseMs: 10_000 });
    return { connection, store };
  };
  const failure = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'none',
      (error: Error) => error.message,
    );
  /** As a server does: until it is answered. */
  const insist = async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };

  test('was never there: what is asked says so, and shows no password', async () => {
    const server = await start();
    await server.stop();
    const { store } = connect(server.url.replace('//', '//me:secret@'));
    const words = await failure(store.orphans({ idleMs: 0 }));
    expect(words).toBe(
      `Redis at redis://127.0.0.1:${server.port}: not connected: connect ECONNREFUSED 127.0.0.1:${server.port}`,
    );
    expect(words).not.toContain('secret');
  });

  test('stands still: what is asked fails in time, and works when it goes on', async () => {
    const { url, process } = await start();
    const { store } = connect(url);
    const talk = await begin(store);
    process.kill('SIGSTOP');
    onTestFinished(() => void process.kill('SIGCONT'));
    expect(await failure(talk.append('a'))).toMatch(/timed out/);
    process.kill('SIGCONT');
    // The one that failed may have been made: it is the same call.
    expect(await insist(() => talk.append('a', { w: 1 }))).toBe('ok');
    expect(await insist(() => talk.read())).toEqual(['1:a']);
  });

  test('stands still: nothing piles up', async () => {
    const { url, process } = await start();
    const { connection, store } = connect(url, 60_000);
    await store.orphans({ idleMs: 0 });
    process.kill('SIGSTOP');
    const calls = Array.from({ length: 10_000 }, () => failure(connection.publish('x', Buffer.from('y'))));
    const words = await failure(connection.publish('x', Buffer.from('y')));
    expect(words).toContain('10000 commands wait for an answer already');
    process.kill('SIGCONT');
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['none']));
  });

  test('stands still for long: what was written is not kept for it', async () => {
    const { url, process } = await start();
    const { store } = connect(url, 100);
    await store.orphans({ idleMs: 0 });
    process.kill('SIGSTOP');
    onTestFinished(() => void process.kill('SIGCONT'));
    // After twice the time the connection is given up, and nothing is written to it any more.
    await expect
      .poll(() => failure(store.orphans({ idleMs: 0 })), { timeout: 10_000 })
      .toMatch(/not connected: Socket timeout/);
  });

  test('comes back empty: it is told the scripts anew, and notes are heard again', async () => {
    const { url, port, stop } = await start();
    const { store } = connect(url);
    await store.subscribed;
    await begin(store);
    const notes = notesOf(store);
    await stop();
    expect(await failure(store.orphans({ idleMs: 0 }))).toContain('Redis at');
    await start(port);
    expect(await insist(async () => store.orphans({ idleMs: 0 }))).toEqual([]);
    await expect.poll(() => notes).toContainEqual({ about: 'missed' });
    await begin(store, 's2');
    await expect.poll(() => notes.at(-1)).toMatchObject({ about: 'attach', sid: 's2' });
  });

  test('the connection for notes is dead, and nobody has said so: it is found out', async () => {
    const { port } = await start();
    const proxy = await createTcpProxy({ target: { port } });
    onTestFinished(() => proxy.close());
    const { store } = connect(`redis://127.0.0.1:${proxy.port}`);
    await store.subscribed;
    const notes = notesOf(store);
    await begin(store);
    await expect.poll(() => notes.length).toBe(1);
    // The second one that was made.
    await proxy.cut({ how: 'silent', which: proxy.connections[1] });
    await begin(store, 's2');
    await store.orphans({ idleMs: 0 });
    await expect.poll(() => notes, { timeout: 10_000 }).toContainEqual({ about: 'missed' });
    await begin(store, 's3');
    await expect.poll(() => notes.at(-1)).toMatchObject({ about: 'attach', sid: 's3' });
    expect(notes).toHaveLength(3);
  });

  test('refuses: what it says is told', async () => {
    const { url } = await start();
    const admin = new Redis(url);
    onTestFinished(() => admin.disconnect());
    await admin.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    const { store } = connect(url);
    expect(await failure(begin(store))).toMatch(/^Redis at .*OOM/);
  });

  test('nothing is asked when the server has gone', async () => {
    const { url } = await start();
    const { connection, store } = connect(url);
    await begin(store);
    const last = store.orphans({ idleMs: 0 });
    const closed = connection.close();
    // It takes two steps.
    expect(await last).toHaveLength(1);
    await closed;
    expect(await failure(store.find({}))).toContain('its connection is closed');
    await connection.close();
  });
});

describe.skipIf(!redisProgram)('a Redis that writes to disk', () => {
  test('is killed and comes back: the session goes on, with everything', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const life = async () => {
      const server = await startRedis('--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always');
      const connection = connectionTo({ url: server.url });
      onTestFinished(async () => {
        await connection.close();
        await server.stop();
      });
      const options = { prefix: 't:', durability: 'disk', leaseMs: 10_000 } as const;
      return { server, store: new RedisStore(connection, random, options) };
    };
    const before = await life();
    const talk = await begin(before.store);
    await talk.accept(events(1, 2));
    await talk.append('a');
    await talk.read();
    await before.server.stop();
    const after = await life();
    const again = Object.assign(new Talk(after.store, talk.sid), { own: talk.own, key: talk.key, n: talk.n });
    expect(await again.attach({ acked: 2 })).toMatchObject({ status: 'resumed', accepted: 2 });
    expect(await again.read()).toEqual(['1:a']);
    expect(claimed(await again.claim())).toEqual(['1', '2']);
  });
});
