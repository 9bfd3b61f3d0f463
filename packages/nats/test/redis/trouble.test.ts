import type { BusPort } from '@holdfast/server/ports';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NatsServer, natsProgram } from '../../../../test/nats-server.js';
import { nats } from '../../src/index.js';

const clock = {
  setTimer: (run: () => void, ms: number) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

describe.skipIf(!natsProgram)('NATS', () => {
  const start = async (...options: readonly string[]) => {
    const server = await NatsServer.start(...options);
    onTestFinished(() => server.stop());
    return server;
  };
  const join = (servers: Parameters<typeof nats>[0]['servers']) => {
    const [heard, states]: [string[], string[]] = [[], []];
    const connection = (nats({ servers }) as BusPort).join(
      'c',
      {
        heard: (message) => void heard.push(Buffer.from(message).toString()),
        up: () => void states.push('up'),
        down: (error) => void states.push(error instanceof Error ? error.message : 'no error'),
      },
      { clock },
    );
    onTestFinished(() => connection.close());
    return { connection, heard, states };
  };
  const isUp = async ({ states }: { states: string[] }) =>
    expect.poll(() => states.at(-1), { timeout: 10_000 }).toBe('up');

  test('that is not there yet is told once, without a password, and found when it comes', async () => {
    const server = await start();
    await server.stop();
    const member = join(server.url.replace('//', '//me:secret@'));
    await expect.poll(() => member.states.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(member.states).toEqual([expect.stringContaining(`NATS at nats://127.0.0.1:${server.port}: `)]);
    expect(member.states.join()).not.toContain('secret');
    await server.start();
    await isUp(member);
  });

  test.each([
    [['--user', 'me', '--pass', 's e/c'], 'me:s%20e%2Fc@', 'me:wrong@'],
    [['--auth', 'token'], 'token@', ''],
  ])('lets in who it knows: %o', async (options, right, wrong) => {
    const server = await start(...options);
    await isUp(join(server.url.replace('//', `//${right}`)));
    const other = join(server.url.replace('//', `//${wrong}`));
    await expect.poll(() => other.states.join()).toMatch(/^NATS at .*: .*authorization/i);
  });

  test('of several, any will do', async () => {
    const [one, other] = [await start(), await start()];
    await one.stop();
    await isUp(join([one.url, new URL(other.url)]));
  });

  test('stands still: what it does not take is dropped, and it goes on where it was', async () => {
    const server = await start();
    const [a, b] = [join(server.url), join(server.url)];
    await isUp(a);
    await isUp(b);
    server.signal('SIGSTOP');
    const block = Buffer.alloc(65_536, 'x');
    const before = process.memoryUsage();
    for (let n = 0; n < 1_600; n++) a.connection.publish(block);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { external, heapUsed } = process.memoryUsage();
    // A hundred megabytes were said.
    expect(external + heapUsed - before.external - before.heapUsed).toBeLessThan(50_000_000);
    server.signal('SIGCONT');
    // 8 MiB
    await expect.poll(() => b.heard.length).toBe(128);
    a.connection.publish(Buffer.from('after'));
    await expect.poll(() => b.heard.at(-1)).toBe('after');
    expect([a.states, b.states]).toEqual([['up'], ['up']]);
  });

  test('stands still when a server goes: that does not wait for long', async () => {
    const server = await start();
    const a = join(server.url);
    await isUp(a);
    server.signal('SIGSTOP');
    a.connection.publish(Buffer.from('x'));
    await a.connection.close();
    expect(a.states).toEqual(['up']);
  });

  test('allows somebody less than all: that is told', async () => {
    const permissions = 'permissions: { publish: ">", subscribe: { deny: "c" } }';
    const file = await import('node:fs/promises');
    const folder = await file.mkdtemp(`${(await import('node:os')).tmpdir()}/holdfast-nats-`);
    onTestFinished(() => file.rm(folder, { recursive: true, force: true }));
    await file.writeFile(
      `${folder}/nats.conf`,
      `authorization { users: [{ user: me, password: secret, ${permissions} }] }`,
    );
    const server = await start('--config', `${folder}/nats.conf`);
    const member = join(server.url.replace('//', '//me:secret@'));
    await expect.poll(() => member.states.join()).toMatch(/permissions/i);
  });
});
