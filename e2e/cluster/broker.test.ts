import { createClient, type EventMeta } from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer } from '@holdfast/server';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { redisProgram, startRedis } from '../../test/redis-server.js';
import { ExampleFolder, example } from '../support/examples.js';
import { Child } from './child.js';
import { pause, within } from './crew.js';

// The feeder of docs/brokers.md as a process that is killed, and the ear of its page.

const DOCUMENT = 'docs/brokers.md';
const ROOM = 'customer:ada';
const folder = new ExampleFolder();
afterAll(() => folder.remove());

/** A Redis with a stream of orders, a server, and a client that hears those of one customer. */
async function ground() {
  const one = await startRedis();
  onTestFinished(() => one.stop());
  const broker = new Redis(one.url);
  onTestFinished(() => broker.disconnect());
  const server = createHoldfastServer({ cluster: redis({ url: one.url }) });
  server.rooms('customer:*', { join: true });
  onTestFinished(() => server.close());
  const { port } = await server.listen(0, '127.0.0.1');
  const client = createClient({ url: `ws://127.0.0.1:${port}/realtime`, auth: 'ada' });
  onTestFinished(() => client.close());
  const heard: { readonly n: number; readonly id: string }[] = [];
  const room = client.room(ROOM);
  room.on('order', (order, { id }) => heard.push({ n: (order as { n: number }).n, id }));
  // As it stands on the page, in which `room` is what it is here.
  const page = new Function('room', `${example('page.mjs', DOCUMENT)}\nreturn orders;`);
  const orders = page(room) as Map<EventMeta['id'], { readonly n: number }>;
  await within(client.connect(), 'it is connected');
  await within(room.join(), 'it is in the room');
  const order = (n: number): Promise<string | null> =>
    broker.xadd('orders', '*', 'order', JSON.stringify({ customer: 'ada', n }));
  return { url: one.url, broker, server, heard, orders, order };
}

/** `changed`: the feeder as somebody might write it. */
async function feed(url: string, name = 'feeder.mjs', changed = (code: string): string => code) {
  const file = folder.writeCode(name, `${changed(example('feeder.mjs', DOCUMENT))}`);
  // It says nothing: what it does is seen elsewhere.
  const code = `console.log('ready'); await import(${JSON.stringify(file)});`;
  const child = await Child.start(process.execPath, {
    args: ['--input-type=module', '--eval', code],
    env: { REDIS_URL: url },
    ready: /ready/,
  });
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  return child;
}

const eventually = async (isSo: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const look = async (): Promise<void> => {
    while (!(await isSo())) await pause(20);
  };
  await within(look(), what, 30_000);
};
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe.skipIf(!redisProgram)('a feeder between a broker and rooms', () => {
  test('is killed again and again: nothing is lost, and what comes twice has the same id', async () => {
    const { url, broker, heard, orders, order } = await ground();
    const ids: (string | null)[] = [];
    const most = 600;
    const sending = (async () => {
      for (const n of numbers(1, most)) ids.push(await order(n));
    })();
    for (const part of [100, 250, 400]) {
      const feeder = await feed(url);
      await eventually(() => orders.size >= part, `${part} have come`);
      await feeder.stop('SIGKILL');
    }
    await sending;
    await feed(url);
    await eventually(() => orders.size === most, 'all have come');
    expect([...orders.keys()]).toEqual(ids);
    expect([...orders.values()].map(({ n }) => n)).toEqual(numbers(1, most));
    const twice = heard.filter(({ n, id }) => ids[n - 1] !== id);
    expect(twice).toEqual([]);
    const pending = async (): Promise<boolean> => {
      const [count] = (await broker.xpending('orders', 'realtime')) as [number];
      return count === 0;
    };
    await eventually(pending, 'the broker has all acknowledged');
  });

  test('dies between publishing and acknowledging: it comes twice, with one id, and the page has it once', async () => {
    const { url, heard, orders, order } = await ground();
    const id = await order(1);
    const dying = await feed(url, 'dying.mjs', (code) =>
      code.replace('for (const [id] of entries) await', 'if (entries.length > 0) process.exit(1);\n  $&'),
    );
    expect(await within(dying.ended, 'it has died')).toBe(1);
    await feed(url);
    await eventually(() => heard.length === 2, 'it has come twice');
    expect([heard, orders.size]).toEqual([[1, 1].map((n) => ({ n, id })), 1]);
  });

  test('an id is nobody to look up: two publications with one are two', async () => {
    const { server, heard } = await ground();
    for (const n of [1, 2]) await server.to(ROOM).send('order', { n }, { id: 'same' });
    await eventually(() => heard.length === 2, 'both have come');
    expect(heard).toEqual([1, 2].map((n) => ({ n, id: 'same' })));
  });
});
