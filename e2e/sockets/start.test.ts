import { createClient } from '@holdfast/client';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { Playground, Program } from '../support/processes.js';
import { WebSocket } from './ws.js';

interface Hearing {
  readonly socket: InstanceType<typeof WebSocket>;
  readonly items: unknown[][];
  readonly closed: Promise<string>;
}

const running: { kill(): Promise<void> }[] = [];

async function startPlayground(): Promise<Playground> {
  const playground = await Playground.start();
  running.push(playground);
  return playground;
}

function run(
  name: 'serve' | 'bot',
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Program {
  const program = new Program(name, args, env);
  running.push(program);
  return program;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.kill()));
});

test('/health tells that all is well, and how many are connected', async () => {
  const playground = await startPlayground();
  await expect.poll(() => playground.health(), { timeout: 10_000 }).toEqual({ status: 'ok', connections: 1 });
  const client = createClient({ url: playground.realtimeUrl, auth: 'Ada' });
  await client.connect();
  expect(await playground.health()).toEqual({ status: 'ok', connections: 2 });
  await client.close();
  await expect.poll(() => playground.health(), { timeout: 10_000 }).toEqual({ status: 'ok', connections: 1 });
});

test('the page is served so that no foreign script runs in it, and what is not there is 404', async () => {
  const playground = await startPlayground();
  const page = await fetch(playground.url);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const missing = await fetch(`${playground.url}/serve.js`);
  expect(missing.status).toBe(404);
});

test('a port in use: says so, names another command, exit code 1', async () => {
  const { port } = await startPlayground();
  const second = run('serve', [], { PORT: String(port) });
  expect(await second.exited).toBe(1);
  expect(second.output).toContain(`port ${port} is in use`);
  expect(second.output).toContain(`PORT=${port + 1} npm start`);
});

test.each(['abc', '70000', '-1', '3000.5', '0x10'])(
  'PORT=%s: says what is wrong, exit code 1',
  async (PORT) => {
    const program = run('serve', [], { PORT });
    expect(await program.exited).toBe(1);
    expect(program.output).toMatch(`PORT must be a whole number from 0 to 65535, not '${PORT}'`);
  },
);

test.each([
  [{ DURABILITY: 'disc' }, "DURABILITY must be 'node' or 'disk', not 'disc'"],
  [{ TRUST_PROXY: 'yes' }, "TRUST_PROXY must be the number of proxies in front, not 'yes'"],
  [{ REDIS_URL: 'http://127.0.0.1:1' }, 'url must be redis://'],
])('one of several servers with %j: says what is wrong, exit code 1', async (env, message) => {
  const program = run('serve', [], { PORT: '0', REDIS_URL: 'redis://127.0.0.1:1', ...env });
  expect(await program.exited).toBe(1);
  expect(program.output).toContain(message);
});

test('HOST that is no address here: says so, exit code 1', async () => {
  const program = run('serve', [], { PORT: '0', HOST: '192.0.2.1' });
  expect(await program.exited).toBe(1);
  expect(program.output).toContain("HOST '192.0.2.1' is no address of this machine");
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the server with exit code 0, whoever is connected',
  async (signal) => {
    const playground = await startPlayground();
    const bot = run('bot', ['--url', playground.realtimeUrl, '--name', 'Ada']);
    await bot.says("in the room 'lobby'");
    playground.program.signal(signal);
    expect(await playground.program.exited).toBe(0);
    await bot.says('no connection');
  },
);

test('SIGTERM: /health says that it is draining, newcomers are sent elsewhere, and it ends when all have gone', async () => {
  const playground = await startPlayground();
  const open = async (): Promise<Hearing> => {
    const socket = new WebSocket(playground.realtimeUrl, ['holdfast.v1.json']);
    onTestFinished(() => socket.terminate());
    const items: unknown[][] = [];
    socket.on('message', (data) => items.push(...(JSON.parse(String(data)) as unknown[][]).slice(2)));
    const closed = new Promise<string>((resolve) => {
      socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
    });
    await new Promise((resolve) => socket.once('open', resolve));
    return { socket, items, closed };
  };
  const here = await open();
  here.socket.send(JSON.stringify([0, 0, [0, { v: 1, c: 'draining', n: 1, w: [10, 1_000], a: 'Ada' }]]));
  await expect.poll(() => here.items.map(([type]) => type)).toContain(1);
  playground.program.signal('SIGTERM');
  await expect
    .poll(() => here.items.find(([type]) => type === 11))
    .toEqual([11, 'drain', expect.any(Number)]);
  expect((await fetch(`${playground.url}/health`)).status).toBe(503);
  expect(await playground.health()).toEqual({ status: 'draining', connections: 1 });
  expect(await (await open()).closed).toBe('1012 ra=1000');
  const before = Date.now();
  here.socket.close(1000);
  expect(await playground.program.exited).toBe(0);
  expect(Date.now() - before).toBeLessThan(3_000);
});

test('two terminals chat through a killed server; what is typed meanwhile arrives once', async () => {
  const playground = await startPlayground();
  const options = (name: string) => ['--url', playground.realtimeUrl, '--room', 'reef', '--name', name];
  const ada = run('bot', options('Ada'));
  await ada.says("in the room 'reef'");
  const grace = run('bot', options('Grace'));
  await ada.says('* Grace joined');
  await grace.says('* here: Ada, Grace');
  ada.type('first');
  await ada.says('✓ first');
  await grace.says('Ada: first');

  await playground.kill();
  await Promise.all([ada.says('~ no connection'), grace.says('~ no connection')]);
  for (const n of [1, 2, 3]) ada.type(`Ada ${n}`);
  grace.type('Grace 1');
  await playground.startAgain();
  await Promise.all([ada.says('✓ Ada 3'), grace.says('✓ Grace 1')]);
  ada.type('last');
  await grace.says('Ada: last');
  grace.type('last');
  await ada.says('Grace: last');
  for (const n of [1, 2, 3]) expect(grace.count(`Ada: Ada ${n}`), `Ada ${n}`).toBe(1);
  expect(ada.count('Grace: Grace 1')).toBe(1);

  grace.type('/members');
  await grace.says(/\* here: (Ada, Grace|Grace, Ada)\n/);
  grace.type('/quit');
  expect(await grace.exited).toBe(0);
  await ada.says('* Grace left');
  ada.type('to nobody');
  ada.endInput();
  expect(await ada.exited).toBe(0);
  expect(ada.output).toContain('✓ to nobody');
});

test('a terminal is told what was on the wire when the server died, and /resend sends it again', async () => {
  const playground = await startPlayground();
  const ada = run('bot', ['--url', playground.realtimeUrl, '--room', 'reef', '--name', 'Ada']);
  await ada.says("in the room 'reef'");
  playground.freeze();
  ada.type('under way');
  ada.type('/members');
  // Both lines have been read, and what is sent leaves with the end of the task.
  await ada.says(/\* here: Ada\n\* here: Ada\n|\* here: Ada\n.*\n\* here: Ada\n/s);
  await playground.kill();
  await playground.startAgain();
  await ada.says('? under way (unknown whether it arrived; /resend sends it again)');
  ada.type('/resend');
  await ada.says('✓ under way');
  ada.type('/resend');
  await ada.says('* nothing to send again');
});

test('a terminal whose server is not there says so, keeps trying, and gets there', async () => {
  const playground = await startPlayground();
  await playground.kill();
  const bot = run('bot', ['--url', playground.realtimeUrl, '--name', 'Ada']);
  bot.type('early bird');
  await bot.says(/no connection: .*ECONNREFUSED.*next attempt in/);
  await playground.startAgain();
  await bot.says('✓ early bird');
  bot.signal('SIGINT');
  expect(await bot.exited).toBe(0);
});

test('a terminal that nobody answers ends all the same when its input ends', async () => {
  const playground = await startPlayground();
  await playground.kill();
  const bot = run('bot', ['--url', playground.realtimeUrl]);
  bot.type('into the void');
  bot.endInput();
  expect(await bot.exited).toBe(0);
  expect(bot.output).toContain('? into the void (not sent)');
});

test('what others say cannot steer the terminal', async () => {
  const playground = await startPlayground();
  const bot = run('bot', ['--url', playground.realtimeUrl, '--room', 'reef', '--name', 'Ada']);
  await bot.says("in the room 'reef'");
  const client = createClient({ url: playground.realtimeUrl, auth: 'Grace' });
  client.on('typing', () => undefined);
  const room = client.room('reef');
  await client.connect();
  await room.join();
  await room.send('message', { text: '\u001b[31mred\u0007\r\nMallory: \u202edesrever\u009b2J' });
  await bot.says('Grace: [31mred Mallory: desrever2J\n');
  await client.close();
});

test('a name that the server refuses: says why, exit code 1', async () => {
  const playground = await startPlayground();
  const bot = run('bot', ['--url', playground.realtimeUrl, '--name', 'Limpet bot']);
  expect(await bot.exited).toBe(1);
  expect(bot.output).toContain('is taken by the bot');
});

test.each([
  [['--rom', 'lobby'], "Unknown option '--rom'"],
  [['--url', 'localhost:3000'], '--url must look like ws://'],
  [['--name'], "'--name <value>' argument missing"],
  [['lobby'], "Unexpected argument 'lobby'"],
])('bot %j: says what is wrong and what is right, exit code 2', async (args, message) => {
  const bot = run('bot', args);
  expect(await bot.exited).toBe(2);
  expect(bot.output).toContain(message);
  expect(bot.output).toContain('Usage: npm run bot');
});

test('bot --help: the usage, exit code 0', async () => {
  const bot = run('bot', ['--help']);
  expect(await bot.exited).toBe(0);
  expect(bot.output).toContain('--room <name>');
});
