import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/examples.js';
import { hostileServer, listening, serve } from './peers.js';
import { WebSocketServer } from './ws.js';

// Nothing is left of a client that was closed: no listener, no timer, no socket, no reason for its process to go on.

/** The shortest deadline of the client that must not hold its process is one of 10 s. */
const PROMPT_MS = 8_000;

async function run(name: string, ...args: string[]) {
  const program = fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let closedAt = Infinity;
  child.stdout.once('data', () => {
    closedAt = performance.now();
  });
  const ended = once(child, 'close');
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { said, complaints, code, lastedMs: performance.now() - closedAt };
}

test('a thousand clients, connected and closed: no listener, no timer, no handle is left', {
  timeout: 60_000,
}, async () => {
  const { said, complaints, code } = await run('thousand');
  expect([complaints, code]).toEqual(['', 0]);
  const seen = JSON.parse(said);
  expect(seen.made).toEqual({ process: 0, global: 0, resources: 0 });
  expect(seen.echoed).toBe(true);
  expect(seen.connected.stats).toMatchObject({ connections: 1_000, sessions: 1_000 });
  expect(seen.connected.global).toBeGreaterThanOrEqual(1_000);
  expect(seen.closed).toEqual({
    ...{ process: 0, global: 0, resources: seen.listening },
    stats: expect.objectContaining({ connections: 0, sessions: 0, users: 0, rooms: 0, errors: 0 }),
  });
  expect(seen.after).toEqual(seen.before);
});

/** Accepts, and says nothing for ever. */
async function silent(dialled: () => void = () => undefined): Promise<string> {
  const tcp = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    dialled();
  });
  onTestFinished(() => void tcp.close());
  return `ws://127.0.0.1:${await listening(tcp)}/realtime`;
}

const working = async (): Promise<string[]> => [(await serve()).url];

/** Sends its client elsewhere, where nobody answers, and tells it to close when it has dialled there. */
async function draining(): Promise<string[]> {
  const { url, server } = await serve({ limits: { acceptPerSecond: 1_000 } });
  let close = (): void => undefined;
  server.onSession((session) => {
    close = () => void session.send('close').catch(() => undefined);
    setTimeout(() => void server.drain({ deadlineMs: 60_000 }), 50);
  });
  return [url, await silent(() => close())];
}

describe('close() lets the process end by itself', () => {
  test.each([
    ['while the token is fetched, for ever', 'hanging-token', working],
    ['while the server accepts and does not answer', 'dialing', async () => [await silent()]],
    ['while no WELCOME comes', 'handshaking', async () => [await hostileServer(() => undefined)]],
    ['while it waits for its next attempt', 'waiting', async () => [`ws://127.0.0.1:${await freePort()}`]],
    ['when it is connected', 'connected', working],
    ['in the middle of a drain', 'draining', draining],
  ])('%s', async (_what, situation, open) => {
    const { said, complaints, code, lastedMs } = await run('closes', situation, ...(await open()));
    expect([said, complaints, code]).toEqual(['closed closed\n', '', 0]);
    expect(lastedMs).toBeLessThan(PROMPT_MS);
  });
});

test('a connection that the server has closed leaves no timer', async () => {
  const server = new WebSocketServer({ port: 0, handleProtocols: ([first]) => first ?? false });
  onTestFinished(() => void server.close());
  server.on('connection', (socket) => socket.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { said, complaints, code } = await run('closed-by-server', `ws://127.0.0.1:${port}`);
  expect([said, complaints, code]).toEqual(['failed false\n', '', 0]);
});
