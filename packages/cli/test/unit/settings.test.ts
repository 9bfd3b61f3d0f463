import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readBenchSettings } from '../../src/bench/bench-options.js';
import { readConnectSettings } from '../../src/connect/connect-options.js';
import { UsageError } from '../../src/options/usage-error.js';
import { readServeSettings } from '../../src/serve/serve-options.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const URL_OF_SERVER = 'ws://localhost:3000/realtime';
const usage = (message: string) => expect.objectContaining({ name: 'UsageError', message });

describe('serve', () => {
  test('without anything: a port of this machine, and no room open', async () => {
    expect(await readServeSettings([], {})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      path: '/realtime',
      origin: undefined,
      room: undefined,
      'session-ttl-ms': 120_000,
      'drain-ms': 5_000,
      config: undefined,
      json: false,
      help: false,
    });
  });

  test('a file of JSON, a module, and a file that a variable names', async () => {
    const content = { port: 4, rooms: { 'chat:*': ['join', 'publish'], 'a=b': [] }, drainMs: 0 };
    const json = file('settings.json', JSON.stringify(content));
    const module = file('settings.mjs', `export default ${JSON.stringify(content)}`);
    const expected = { port: 4, 'drain-ms': 0, host: '127.0.0.1' };
    for (const read of [
      readServeSettings(['--config', json], {}),
      readServeSettings(['--config', module], {}),
      readServeSettings([], { HOLDFAST_CONFIG: json }),
    ]) {
      const settings = await read;
      expect(settings).toMatchObject(expected);
      expect([...(settings.room ?? [])]).toEqual([
        ['chat:*', ['join', 'publish']],
        ['a=b', []],
      ]);
    }
    expect((await readServeSettings(['--config', json], { HOLDFAST_PORT: '5' })).port).toBe(5);
  });

  test('rooms on the command line and in the variable', async () => {
    const expected = [
      ['chat:*', ['join', 'publish']],
      ['a=b', ['presence']],
    ];
    const typed = await readServeSettings(['--room', 'chat:*=join,publish', '--room', 'a=b=presence'], {});
    expect([...(typed.room ?? [])]).toEqual(expected);
    const set = await readServeSettings([], { HOLDFAST_ROOMS: 'chat:*=join,publish; a=b=presence' });
    expect([...(set.room ?? [])]).toEqual(expected);
  });

  test.each([
    'chat:*',
    '=join',
    'chat:*=jion',
    'chat:*=join,',
    'a*b=join',
    '$system=join',
    `${'x'.repeat(129)}=join`,
  ])('--room %j is refused', async (room) => {
    await expect(readServeSettings(['--room', room], {})).rejects.toEqual(
      usage(
        `--room must be a room's name, or a prefix and '*', with what clients may do of join, publish, presence, such as 'chat:*=join,publish', not '${room}'`,
      ),
    );
  });

  test.each([[['chat:*']], ['chat:*=join'], [{ 'chat:*': 'join' }], [{ 'chat:*': ['all'] }], [null]])(
    'rooms in a file as %j are refused',
    async (rooms) => {
      const config = file('rooms.json', JSON.stringify({ rooms }));
      const reading = readServeSettings(['--config', config], {});
      await expect(reading).rejects.toBeInstanceOf(UsageError);
      await expect(reading).rejects.toThrow(`'rooms' in ${config} must be a room's name`);
    },
  );

  test('one pattern twice is refused', async () => {
    await expect(readServeSettings(['--room', 'a=join', '--room', 'a=publish'], {})).rejects.toThrow(
      "not 'a=join a=publish'",
    );
  });

  test.each([
    ['missing.json', undefined, /^missing.json cannot be read: ENOENT/],
    ['broken.json', '{', /broken.json cannot be read: .*JSON/],
    ['list.json', '[]', /list.json must hold an object of settings$/],
    ['nothing.mjs', 'export const port = 1', /nothing.mjs must hold an object of settings$/],
    ['throws.mjs', 'throw new Error("no")', /throws.mjs cannot be read: no$/],
    ['throws-nothing.mjs', 'throw undefined', /throws-nothing.mjs cannot be read: it threw undefined$/],
    ['throws-null.mjs', 'throw null', /throws-null.mjs cannot be read: it threw null$/],
    ['throws-odd.mjs', 'throw Object.create(null)', /throws-odd.mjs cannot be read: it threw \[Object: null/],
    ['unknown.json', '{"prot":1}', /'prot' in .*unknown.json is no setting; there are: port, host/],
    ['settings.yaml', '', /^--config must be the name of a .json or .mjs file, not '.*settings.yaml'$/],
  ])('the file %s: says what is wrong', async (name, content, message) => {
    const path = content === undefined ? name : file(name, content);
    const reading = readServeSettings(['--config', path], {});
    await expect(reading).rejects.toBeInstanceOf(UsageError);
    await expect(reading).rejects.toThrow(message);
  });

  test('a module that never settles is waited for 10 s', async () => {
    const path = file('never.mjs', 'await new Promise(() => undefined)');
    const asked: number[] = [];
    const setTimer = (run: () => void, delayMs: number) => {
      asked.push(delayMs);
      queueMicrotask(run);
      return () => undefined;
    };
    const reading = readServeSettings(['--config', path], {}, setTimer);
    await expect(reading).rejects.toEqual(usage(`${path} cannot be read: it has not settled within 10 s`));
    expect(asked).toEqual([10_000]);
  });

  test('a file of JSON that begins with a byte order mark', async () => {
    const path = file('marked.json', '\uFEFF{"port":7}');
    expect((await readServeSettings(['--config', path], {})).port).toBe(7);
  });

  test('a secret is refused on the command line', async () => {
    for (const args of [['--jwt-secret', 's3cret'], ['--jwt-secret=s3cret']]) {
      const reading = readServeSettings(args, {});
      await expect(reading).rejects.toThrow('a secret does not belong on the command line');
      await expect(reading).rejects.not.toThrow('s3cret');
    }
  });

  test.each([
    [[], 'long'.repeat(8), 'HOLDFAST_JWT_SECRET needs --jwt-audience'],
    [['--jwt-audience', 'app'], undefined, '--jwt-audience needs HOLDFAST_JWT_SECRET'],
    [['--jwt-audience', 'app'], 's3cret', 'HOLDFAST_JWT_SECRET: '],
  ])('tokens need a good secret and an audience: %j', async (args, secret, message) => {
    const reading = readServeSettings(args, { HOLDFAST_JWT_SECRET: secret });
    await expect(reading).rejects.toBeInstanceOf(UsageError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.not.toThrow('s3cret');
  });

  test('with both it checks tokens; with neither it does not, nor for its help', async () => {
    const secret = { HOLDFAST_JWT_SECRET: 'long'.repeat(8) };
    expect((await readServeSettings(['--jwt-audience', 'app'], secret)).auth).toBeTypeOf('function');
    expect((await readServeSettings([], {})).auth).toBeUndefined();
    expect((await readServeSettings(['--help'], secret)).auth).toBeUndefined();
  });

  test('an argument that is no option is refused', async () => {
    await expect(readServeSettings(['3000'], {})).rejects.toEqual(usage("serve takes no argument '3000'"));
  });
});

describe.each([
  ['connect', readConnectSettings],
  ['bench', readBenchSettings],
] as const)('%s', (command, read) => {
  test.each([
    [[], `${command} needs the url of a server`],
    [['localhost:3000'], "the url must look like ws://localhost:3000/realtime, not 'localhost:3000'"],
    [['ftp://localhost'], "the url must look like ws://localhost:3000/realtime, not 'ftp://localhost'"],
    [['ws://'], "the url must look like ws://localhost:3000/realtime, not 'ws://'"],
    [[URL_OF_SERVER, 'more'], `${command} takes one url, and no argument 'more'`],
    [
      [`${URL_OF_SERVER}?token=abc`],
      'a token does not belong in the url, which is logged; set HOLDFAST_TOKEN',
    ],
    [
      [URL_OF_SERVER, '--timeout-ms', '0'],
      "--timeout-ms must be a whole number from 1 to 2147483647, not '0'",
    ],
    [[URL_OF_SERVER, '--token', 'abc'], "Unknown option '--token'"],
  ])('%j is refused', (args, message) => {
    expect(() => read(args, {})).toThrow(usage(message) as never);
  });

  test('the token comes from the variable', () => {
    expect(read([URL_OF_SERVER], { HOLDFAST_TOKEN: 'abc' }).token).toBe('abc');
    expect(read([URL_OF_SERVER], { HOLDFAST_TOKEN: '' }).token).toBeUndefined();
  });
});

test('connect: names with JSON and without', () => {
  const args = [URL_OF_SERVER, '--send', 'a', '--send', 'b {"n": [1, 2]}', '--request', 'c null'];
  expect(readConnectSettings(args, {})).toMatchObject({
    send: [
      { name: 'a', payload: undefined },
      { name: 'b', payload: { n: [1, 2] } },
    ],
    request: [{ name: 'c', payload: null }],
  });
});

test.each([
  [
    ['--send', 'a {b}'],
    `--send must be a name and then JSON, such as 'message {"text":"hello"}', not 'a {b}'`,
  ],
  [['--request', ' '], `--request must be a name and then JSON, such as 'message {"text":"hello"}', not ' '`],
  [['--listen', ''], "--listen must be the name of an event, of at most 128 characters, not ''"],
  [
    ['--room', 'x'.repeat(129)],
    `--room must be the name of a room, of at most 128 characters, not '${'x'.repeat(129)}'`,
  ],
  [['--once'], '--once needs --listen <event>'],
])('connect %j is refused', (args, message) => {
  expect(() => readConnectSettings([URL_OF_SERVER, ...args], {})).toThrow(usage(message) as never);
});

test.each([
  [['--clients', '0'], "--clients must be a whole number from 1 to 20000, not '0'"],
  [['--rate', '1.5'], "--rate must be a whole number from 1 to 1000, not '1.5'"],
  [['--size', 'big'], "--size must be a whole number from 0 to 1000000, not 'big'"],
  [['--duration-ms', '0'], "--duration-ms must be a whole number from 1 to 2147483647, not '0'"],
])('bench %j is refused', (args, message) => {
  expect(() => readBenchSettings([URL_OF_SERVER, ...args], {})).toThrow(usage(message) as never);
});
