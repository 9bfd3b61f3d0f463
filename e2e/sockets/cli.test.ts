import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@holdfast/client';
import { createHoldfastServer, RejectError } from '@holdfast/server';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/examples.js';
import { Program, pathOf } from '../support/processes.js';
import { soon } from './peers.js';

// The command `holdfast` as processes of its own, against each other and against servers of others.

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it to its end; what is given as input is typed into a pipe. */
function holdfast(args: readonly string[], { input = '', env = {} as Record<string, string> } = {}) {
  return new Promise<Ended>((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 60_000 };
    const child = execFile(process.execPath, [pathOf('holdfast'), ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function startServe(args: readonly string[], env: Record<string, string> = {}) {
  const program = new Program('holdfast', ['serve', '--port', '0', ...args], env);
  await program.says(/ws:\/\/\S+?:\d+\/[\w/]*/);
  const [url = ''] = /ws:\/\/[^\s"]+/.exec(program.output) ?? [];
  return { program, url };
}

/** One for all that only talk to it. */
let shared: Awaited<ReturnType<typeof startServe>>;
beforeAll(async () => {
  shared = await startServe(['--room', 'chat:*=join,publish,presence']);
});
afterAll(() => shared.program.kill());

describe('help and wrong usage', () => {
  test.each([
    [['--help'], ['serve', 'connect <url>', 'bench <url>']],
    [
      ['serve', '--help'],
      ['--port', '--host', '--path', '--origin', '--room', '--config', 'HOLDFAST_PORT', "'echo'"],
    ],
    [
      ['connect', '--help'],
      ['--send', '--request', '--listen', '--once', '--timeout-ms', '/join', "'echo"],
    ],
    [
      ['bench', '--help'],
      ['--clients', '--rate', '--duration-ms', '--size', "'echo'", 'doubled'],
    ],
    [['bench', '--nonsense', '--help'], ['--clients']],
  ])('%j: all that there is, exit code 0', async (args, named) => {
    const { code, out, err } = await holdfast(args);
    expect([code, err]).toEqual([0, '']);
    for (const name of named) expect(out).toContain(name);
    if (args.length > 1) expect(out).toContain('Exit codes: 0');
  });

  test.each<[string[], Record<string, string>, string]>([
    [[], {}, 'holdfast: a command is needed\nholdfast --help tells what there is.\n'],
    [['constructor'], {}, "holdfast: no command 'constructor'\nholdfast --help tells what there is.\n"],
    [
      ['serve', '--prot', '1'],
      {},
      "holdfast: Unknown option '--prot'\nholdfast serve --help tells what there is.\n",
    ],
    [
      ['serve'],
      { HOLDFAST_PORT: 'abc' },
      "holdfast: HOLDFAST_PORT must be a whole number from 0 to 65535, not 'abc'\nholdfast serve --help tells what there is.\n",
    ],
    [
      ['connect'],
      {},
      'holdfast: connect needs the url of a server\nholdfast connect --help tells what there is.\n',
    ],
    [
      ['bench', 'ws://localhost:1/', '--rate', '0'],
      {},
      "holdfast: --rate must be a whole number from 1 to 1000, not '0'\nholdfast bench --help tells what there is.\n",
    ],
  ])('%j: says what is wrong, exit code 2', async (args, env, message) => {
    expect(await holdfast(args, { env })).toEqual({ code: 2, out: '', err: message });
  });
});

test.each([
  ['throws', "throw new Error('no')", 'no'],
  ['throws nothing', 'throw undefined', 'it threw undefined'],
])('a config file that %s and leaves something running: says so, exit code 2', async (_what, end, why) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'settings.mjs');
  writeFileSync(config, `setInterval(() => undefined, 1_000);\n${end};\n`);
  const err = `holdfast: ${config} cannot be read: ${why}\nholdfast serve --help tells what there is.\n`;
  expect(await holdfast(['serve', '--config', config])).toEqual({ code: 2, out: '', err });
});

describe('serve', () => {
  test('says where it listens as JSON, keeps to its path, its rooms and its origins', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-serve-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = join(folder, 'settings.json');
    writeFileSync(
      config,
      JSON.stringify({ path: '/of-the-file', rooms: { 'open:*': ['join'] }, drainMs: 100 }),
    );
    const env = { HOLDFAST_PATH: '/of/the/variable' };
    const { program, url } = await startServe(['--config', config, '--json'], env);
    onTestFinished(() => program.kill());
    const port = Number(new URL(url).port);
    expect(lines(program.output)).toEqual([
      { type: 'listening', url, host: '127.0.0.1', port, path: '/of/the/variable', rooms: ['open:*'] },
    ]);
    const client = createClient({ url });
    onTestFinished(() => client.close());
    await soon(client.connect(), 'a connection');
    expect(await client.request('echo', { n: 1 })).toEqual({ n: 1 });
    await client.room('open:a').join();
    await expect(client.room('closed').join()).rejects.toMatchObject({ code: 'ERR_REJECTED' });
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await fetch(`http://127.0.0.1:${port}/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426);
  });

  test('with a secret it lets in who brings a token that is signed with it, and nobody else', async () => {
    const secret = 'of thirty-two characters or more';
    const { program, url } = await startServe(['--jwt-audience', 'app'], { HOLDFAST_JWT_SECRET: secret });
    onTestFinished(() => program.kill());
    const signed = (key: string) =>
      new SignJWT({ sub: 'ada' })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience('app')
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(key));
    const args = ['connect', url, '--request', 'echo 1'];
    const bring = async (token: string) => holdfast(args, { env: { HOLDFAST_TOKEN: token } });
    expect(await bring(await signed(secret))).toMatchObject({ code: 0 });
    expect(await bring(await signed(`${secret}!`))).toMatchObject({ code: 1 });
    expect(await holdfast(args)).toMatchObject({ code: 1 });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: asks the clients to go, waits for them until its deadline, exit code 0',
    async (signal) => {
      const { program, url } = await startServe(['--drain-ms', '20000']);
      onTestFinished(() => program.kill());
      const client = createClient({ url });
      onTestFinished(() => client.close());
      await soon(client.connect(), 'a connection');
      program.signal(signal);
      await program.says('asking everybody to go');
      const page = async (path: string) =>
        (await fetch(url.replace(/^ws(.*)\/realtime$/, `http$1${path}`))).status;
      // Alive, or whoever watches over it would kill it amid its clients; but nobody new.
      expect([await page('/health'), await page('/ready')]).toEqual([200, 503]);
      await client.close();
      expect(await program.exited).toBe(0);
    },
  );

  test('a client that stays does not keep it beyond the deadline', async () => {
    const { program, url } = await startServe(['--drain-ms', '200']);
    onTestFinished(() => program.kill());
    const client = createClient({ url });
    onTestFinished(() => client.close());
    await soon(client.connect(), 'a connection');
    program.signal('SIGTERM');
    expect(await soon(program.exited, 'the end')).toBe(0);
  });

  test('a port in use, an address of others: says so, exit code 1', async () => {
    const { port } = new URL(shared.url);
    expect(await holdfast(['serve', '--port', port])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(`cannot listen on port ${port} of 127.0.0.1: `),
    });
    const elsewhere = await holdfast(['serve', '--port', '0', '--host', '192.0.2.1', '--json']);
    expect([elsewhere.code, elsewhere.out]).toEqual([1, '']);
    expect(lines(elsewhere.err)).toEqual([expect.objectContaining({ type: 'error', code: 'EADDRNOTAVAIL' })]);
  });
});

describe('connect', () => {
  test('asks, and prints nothing but the answers to standard output', async () => {
    const args = ['connect', shared.url, '--request', 'echo {"n":1}', '--request', 'echo'];
    const { code, out, err } = await holdfast(args);
    expect([code, out]).toEqual([0, '{"n":1}\nnull\n']);
    expect(err).toContain('* connected\n');
  });

  test('sends, listens, and ends with the first event', async () => {
    const args = ['connect', shared.url, '--send', 'echo "\\u001b[31mred"', '--listen', 'echo', '--once'];
    expect(await holdfast(args)).toMatchObject({ code: 0, out: 'echo "\\u001b[31mred"\n' });
    const asJson = await holdfast([...args, '--json']);
    expect(lines(asJson.out)).toEqual([
      expect.objectContaining({ type: 'event', event: 'echo', payload: '\u001b[31mred' }),
    ]);
    expect(lines(asJson.err).map(({ type }) => type)).toContain('acknowledged');
  });

  test('what fails is printed with its code, and the exit code is 1', async () => {
    const asked = await holdfast(['connect', shared.url, '--request', 'nope', '--request', 'echo 5']);
    expect(asked).toMatchObject({ code: 1, out: '5\n', err: expect.stringContaining('[ERR_NO_HANDLER]') });
    const joined = await holdfast(['connect', shared.url, '--room', 'closed', '--send', 'echo', '--json']);
    expect(joined.code).toBe(1);
    expect(lines(joined.err)).toContainEqual(
      expect.objectContaining({ type: 'error', about: 'join closed', code: 'ERR_REJECTED' }),
    );
    const waited = await holdfast([
      ...['connect', shared.url, '--listen', 'never', '--once', '--timeout-ms', '2000'],
    ]);
    expect(waited).toMatchObject({ code: 1, out: '', err: expect.stringContaining('[ERR_TIMEOUT]') });
    const alone = await holdfast([
      ...['connect', `ws://127.0.0.1:${await freePort()}/`, '--request', 'echo', '--timeout-ms', '1000'],
    ]);
    expect(alone).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/connect: .*ECONNREFUSED/) });
  });

  test('a line of a pipe is a command; two are in a room together', async () => {
    const listener = new Program('holdfast', ['connect', shared.url]);
    onTestFinished(() => listener.kill());
    listener.type('/join chat:pipe');
    await listener.says('* in the room chat:pipe');
    const input = '/join chat:pipe\nmessage {"text":"hello"}\n/request echo [1]\n/nope\n/state\n\n/leave\n';
    const { code, out, err } = await holdfast(['connect', shared.url], { input });
    expect([code, out]).toEqual([1, '[1]\n']);
    for (const told of ['✓ message', 'no command /nope', 'Connected for', '* left the room chat:pipe']) {
      expect(err).toContain(told);
    }
    await listener.says(/message \{"text":"hello"\} {2}\(in chat:pipe from \S+\)/);
    listener.type('/quit');
    expect(await listener.exited).toBe(0);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with exit code 0', async (signal) => {
    const program = new Program('holdfast', ['connect', shared.url, '--listen', 'echo']);
    onTestFinished(() => program.kill());
    await program.says('* connected');
    program.signal(signal);
    expect(await program.exited).toBe(0);
  });

  test('the token comes from the variable, and one that is refused ends it with exit code 1', async () => {
    const server = createHoldfastServer({
      auth: (token) => {
        if (token !== 'good') throw new RejectError('who are you');
        return { user: { id: 'ada' } };
      },
    });
    server.handle('who', (_input, { session }) => session.user.id);
    const { port } = await server.listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    const args = ['connect', `ws://127.0.0.1:${port}/realtime`, '--request', 'who'];
    expect(await holdfast(args, { env: { HOLDFAST_TOKEN: 'good' } })).toMatchObject({
      code: 0,
      out: '"ada"\n',
    });
    const refused = await holdfast(args, { env: { HOLDFAST_TOKEN: 'bad' } });
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('[ERR_AUTH_REFUSED]') });
    expect(refused.err).not.toContain('bad');
  });
});

describe('bench', () => {
  const short = ['--clients', '3', '--rate', '20', '--duration-ms', '1500'];

  test('a table, and as JSON: all that was sent came back once, exit code 0', async () => {
    const [texts, figures] = await Promise.all([
      holdfast(['bench', shared.url, ...short]),
      holdfast(['bench', shared.url, ...short, '--json']),
    ]);
    expect([texts.code, figures.code]).toEqual([0, 0]);
    expect(texts.out).toMatch(/^sent +90$/m);
    expect(texts.out).toMatch(/^lost +0$/m);
    expect(texts.err).toMatch(/s: sent \d+, acknowledged \d+/);
    expect(lines(figures.out)).toEqual([
      expect.objectContaining({ sent: 90, acknowledged: 90, failed: 0, lost: 0, doubled: 0, reconnects: 0 }),
    ]);
    expect(lines(figures.out)[0]?.['latencyMs']).toEqual({
      p50: expect.any(Number),
      p95: expect.any(Number),
      p99: expect.any(Number),
    });
  });

  test('the first is sent at once, however short it is', async () => {
    const args = ['bench', shared.url, '--clients', '2', '--rate', '1', '--duration-ms', '1', '--json'];
    const { code, out } = await holdfast(args);
    expect([code, ...lines(out)]).toMatchObject([0, { sent: 1, acknowledged: 1, lost: 0 }]);
  });

  test.each<[string, string, (times: { n: number }) => number]>([
    ['that swallows every tenth', 'lost', (times) => (times.n % 10 === 0 ? 0 : 1)],
    ['that answers every tenth twice', 'doubled', (times) => (times.n % 10 === 0 ? 2 : 1)],
  ])('a server %s: counted as %s, exit code 1', async (_what, counted, echoes) => {
    const server = createHoldfastServer();
    const times = { n: 0 };
    server.on('echo', (payload, { session }) => {
      times.n += 1;
      for (let left = echoes(times); left > 0; left--) session.send('echo', payload);
    });
    const { port } = await server.listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    const args = ['bench', `ws://127.0.0.1:${port}/realtime`, ...short, '--json', '--timeout-ms', '5000'];
    const { code, out } = await holdfast(args);
    expect(code).toBe(1);
    expect(lines(out)).toEqual([
      expect.objectContaining({ sent: 90, acknowledged: 90, lost: 0, doubled: 0, [counted]: 9 }),
    ]);
  });

  test('a server that answers no echo: said by its code, exit code 1', async () => {
    const server = createHoldfastServer();
    const { port } = await server.listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    const { code, out } = await holdfast(['bench', `ws://127.0.0.1:${port}/realtime`, ...short]);
    expect(code).toBe(1);
    expect(out).toMatch(/^failed +90 \(ERR_NO_HANDLER × 90\)$/m);
  });

  test('a server that goes away for good: what never left fails, and is not called lost', async () => {
    const server = createHoldfastServer();
    let heard = 0;
    server.on('echo', (payload, { session }) => {
      session.send('echo', payload);
      if (++heard === 30) void server.close();
    });
    const { port } = await server.listen(0, '127.0.0.1');
    const args = ['bench', `ws://127.0.0.1:${port}/realtime`, ...short, '--json', '--timeout-ms', '1000'];
    const { code, out } = await holdfast(args);
    expect(code).toBe(1);
    const [figures] = lines(out) as [Record<'sent' | 'acknowledged' | 'failed' | 'lost', number>];
    expect(figures.sent).toBe(90);
    expect(figures.acknowledged + figures.failed).toBe(90);
    expect(figures.failed).toBeGreaterThan(0);
    // Those of the moment when it went: nobody knows.
    expect(figures.lost).toBeLessThan(figures.failed);
  });

  test('nobody there: exit code 1', async () => {
    const args = ['bench', `ws://127.0.0.1:${await freePort()}/`, '--timeout-ms', '1000'];
    expect(await holdfast(args)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('Ctrl-C: the figures so far', async () => {
    const program = new Program('holdfast', ['bench', shared.url, '--duration-ms', '600000']);
    onTestFinished(() => program.kill());
    await program.says(/s: sent \d+/);
    program.signal('SIGINT');
    expect(await soon(program.exited, 'the end')).toBe(0);
    expect(program.output).toMatch(/^lost +0$/m);
  });
});
