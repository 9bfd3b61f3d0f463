import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
/** `npm test` packs every package before it comes here. */
const packed = fileURLToPath(new URL('../../.build/packed/', import.meta.url));
const names = ['protocol', 'client', 'server', 'redis', 'nats', 'testing', 'cli'];
const home = mkdtempSync(join(tmpdir(), 'holdfast-install-'));

function tarball(name: string): string {
  const folder = join(packed, name);
  const [file] = existsSync(folder) ? readdirSync(folder) : [];
  if (file === undefined) throw new Error(`@holdfast/${name} is not packed: npm test does that`);
  return join(folder, file);
}

/** Runs a program of somebody who has installed the packages. */
async function program(file: string, code: string): Promise<string> {
  writeFileSync(join(home, file), code);
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: home });
  expect(stderr).toBe('');
  return stdout;
}

const talk = `
  const server = createHoldfastServer();
  server.handle('echo', (input) => input);
  server.listen(0).then(async ({ port }) => {
    const client = createClient({ url: 'ws://localhost:' + port + '/realtime' });
    await client.connect();
    console.log(await client.request('echo', 'hello'), typeof createTestbed);
    await client.close();
    await server.close();
  });`;

beforeAll(async () => {
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'an-app', private: true }));
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...names.map(tarball)];
  await run('npm', args, { cwd: home });
}, 120_000);
afterAll(() => rmSync(home, { recursive: true }));

test('every package says what it is, on the page that npm makes of its README', () => {
  for (const name of names) {
    const readme = readFileSync(join(home, 'node_modules/@holdfast', name, 'README.md'), 'utf8');
    expect(readme).toMatch(new RegExp(`^# @holdfast/${name}\n\n\\S`));
  }
});

test('ES modules: both ends talk, and the process ends by itself after close()', async () => {
  const code = `
    import { createClient } from '@holdfast/client';
    import { createHoldfastServer } from '@holdfast/server';
    import { createTestbed } from '@holdfast/testing';
    ${talk}`;
  expect(await program('esm.mjs', code)).toBe('hello function\n');
});

test('the command is there', async () => {
  const { stdout } = await run('npx', ['--no-install', 'holdfast', '--version'], { cwd: home });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('CommonJS: the same', async () => {
  const code = `
    const { createClient } = require('@holdfast/client');
    const { createHoldfastServer } = require('@holdfast/server');
    const { createTestbed } = require('@holdfast/testing');
    ${talk}`;
  expect(await program('common.cjs', code)).toBe('hello function\n');
});

test('the small client comes from an entry of its own, both ways; its errors are those of the whole one', async () => {
  const code = `
    ${talk}
    createClient({ url: 'ws://localhost:1' }).room('x').send('y').catch((error) => {
      console.log(isHoldfastError(error, 'ERR_NOT_JOINED'));
    });`;
  const imports = [
    "import { createClient } from '@holdfast/client/lite';",
    "import { isHoldfastError } from '@holdfast/client';",
    "import { createHoldfastServer } from '@holdfast/server';",
    "import { createTestbed } from '@holdfast/testing';",
  ];
  const requires = imports.map((line) =>
    line.replace('import', 'const').replace(/from (.*);/, '= require($1);'),
  );
  expect(await program('lite.mjs', imports.join('\n') + code)).toBe('true\nhello function\n');
  expect(await program('lite.cjs', requires.join('\n') + code)).toBe('true\nhello function\n');
});

test('with a Redis and a NATS that are not there: both ways to load them, and the process ends', async () => {
  const code = `
    const bus = nats({ servers: 'nats://127.0.0.1:1' });
    const cluster = redis({ url: 'redis://127.0.0.1:1', bus });
    const server = createHoldfastServer({ cluster });
    server.onError(() => undefined);
    server.listen(0).then(() => server.close()).then(() => console.log(cluster.name, 'closed'));`;
  const imports = [
    "import { nats } from '@holdfast/nats';",
    "import { redis } from '@holdfast/redis';",
    "import { createHoldfastServer } from '@holdfast/server';",
  ];
  const requires = imports.map((line) =>
    line.replace('import', 'const').replace(/from (.*);/, '= require($1);'),
  );
  expect(await program('several.mjs', imports.join('\n') + code)).toBe('redis closed\n');
  expect(await program('several.cjs', requires.join('\n') + code)).toBe('redis closed\n');
});

const talkMsgpack = `
  const server = createHoldfastServer({ codecs: [json(), msgpack()] });
  server.handle('echo', (input) => input);
  server.listen(0).then(async ({ port }) => {
    const client = createClient({ url: 'ws://localhost:' + port + '/realtime', codec: clientMsgpack() });
    await client.connect();
    console.log(await client.request('echo', { bytes: new Uint8Array([1, 2]), at: new Date(0) }));
    await client.close();
    await server.close();
  });`;
const said = '{ bytes: Uint8Array(2) [ 1, 2 ], at: 1970-01-01T00:00:00.000Z }\n';

test('MessagePack comes from entries of its own, as an ES module and as CommonJS', async () => {
  const esm = `
    import { createClient } from '@holdfast/client';
    import { msgpack as clientMsgpack } from '@holdfast/client/msgpack';
    import { createHoldfastServer, json } from '@holdfast/server';
    import { msgpack } from '@holdfast/server/msgpack';
    ${talkMsgpack}`;
  expect(await program('msgpack.mjs', esm)).toBe(said);
  const common = `
    const { createClient } = require('@holdfast/client');
    const { msgpack: clientMsgpack } = require('@holdfast/client/msgpack');
    const { createHoldfastServer, json } = require('@holdfast/server');
    const { msgpack } = require('@holdfast/server/msgpack');
    ${talkMsgpack}`;
  expect(await program('msgpack.cjs', common)).toBe(said);
});

const talkJwt = `
  const auth = jwt({ secret: 'x'.repeat(32), audience: 'chat' });
  auth('a.b.c', { address: '' }).catch(({ reason }) => console.log(reason));`;

test('so do tokens, also where the library below is an ES module only', async () => {
  const esm = `
    import { jwt } from '@holdfast/server/jwt';
    ${talkJwt}`;
  expect(await program('jwt.mjs', esm)).toBe('token-invalid\n');
  const common = `
    const { jwt } = require('@holdfast/server/jwt');
    ${talkJwt}`;
  expect(await program('jwt.cjs', common)).toBe('token-invalid\n');
});

test('an error and a contract of one copy are known to the other: ES module and CommonJS in one program', async () => {
  const code = `
    import { createRequire } from 'node:module';
    import { createClient, defineContract, isHoldfastError } from '@holdfast/client';
    const other = createRequire(import.meta.url)('@holdfast/client');
    const client = createClient({ url: 'ws://localhost:1' });
    client.room('x').send('y').catch((error) => {
      console.log(isHoldfastError(error, 'ERR_NOT_JOINED'), other.isHoldfastError(error, 'ERR_NOT_JOINED'));
    });
    other.createClient({ url: 'ws://localhost:1', contract: defineContract({}) });`;
  expect(await program('both.mjs', code)).toBe('true true\n');
});

test('importing touches no global of a page', async () => {
  const code = `
    for (const name of ['window', 'document', 'navigator', 'location', 'WebSocket', 'localStorage', 'addEventListener']) {
      Object.defineProperty(globalThis, name, { get() { throw new Error(name + ' was touched'); } });
    }
    for (const entry of ['protocol', 'client', 'client/explain', 'client/lite', 'client/payload-codec', 'client/plain', 'client/ports', 'client/react-native', 'client/stream', 'server', 'server/jwt', 'server/ports', 'testing', 'testing/tcp-proxy']) {
      await import('@holdfast/' + entry);
    }
    for (const name of ['protocol', 'client', 'server']) await import('@holdfast/' + name + '/msgpack');
    console.log('imported');`;
  expect(await program('bare.mjs', code)).toBe('imported\n');
});
