import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HoldfastClient, isHoldfastError } from '@holdfast/client';
import { fileOutbox } from '@holdfast/client/storage-file';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { Program } from '../support/processes.js';
import { clientOf, eventually, soon } from './peers.js';

// The process of a server with the memory store is ended and started again: what its clients are told of each message
// agrees with what handlers of either process have written down when they began.

const DRAIN_MS = 500;
const ENDINGS = [
  ['SIGTERM', 0],
  ['SIGKILL', null],
] as const;
const HURRY = { baseMs: 20, capMs: 100 };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-restart-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A server in a process of its own, on a port that it has again when it is started again. */
async function startServer() {
  const path = join(folder(), 'handled');
  const start = async (port: number): Promise<Program> => {
    const started = new Program('restarted', [String(port), path, String(DRAIN_MS)]);
    onTestFinished(() => started.kill());
    await started.says(/listening on \d+\./);
    return started;
  };
  let program = await start(0);
  const port = Number(/\d+/.exec(program.output)?.[0]);
  return {
    port,
    url: `ws://127.0.0.1:${port}/realtime`,
    /** What follows this word in the file, in order: of both processes. */
    names(word: string): string[] {
      const lines = readFileSync(path, 'utf8').split('\n');
      return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    },
    /** The exit code. */
    end(signal: NodeJS.Signals): Promise<number | null> {
      program.signal(signal);
      return soon(program.exited, `${signal} ends it`);
    },
    async startAgain(): Promise<void> {
      program = await start(port);
    },
  };
}

/** How each ends, by its name. */
class Outcomes {
  readonly ends: Record<string, string> = {};
  readonly #all: Promise<void>[] = [];

  watch(name: string, sending: Promise<unknown>): void {
    const ended = (end: string): void => {
      this.ends[name] = name in this.ends ? 'ended twice' : end;
    };
    const failed = (error: unknown): void =>
      ended(
        isHoldfastError(error) && 'delivery' in error ? `${error.code} ${error.delivery}` : String(error),
      );
    this.#all.push(
      sending.then((value) => ended(typeof value === 'string' ? 'answered' : 'acknowledged'), failed),
    );
  }

  get settled(): Promise<unknown> {
    return soon(Promise.all(this.#all), 'every message has an outcome');
  }
}

/** What a client is told, in order: sessions that were lost, gaps, and what it hears. */
function storyOf(client: HoldfastClient): string[] {
  const story: string[] = [];
  client.onSessionLost(({ unknown }) =>
    story.push(`lost: ${unknown.map(({ payload }) => payload).join(', ')}`),
  );
  client.onGap(({ messages, reason, room }) => story.push(`gap: ${messages} ${reason} ${room}`));
  client.on('say', (text, { from }) => story.push(`${from}: ${text}`));
  client.on('heard', (name) => story.push(`heard ${name}`));
  return story;
}

test.each(ENDINGS)(
  '%s: of each message its sender is told what is true of its stage',
  async (signal, code) => {
    const server = await startServer();
    const proxy = await createTcpProxy({ target: { port: server.port } });
    onTestFinished(() => proxy.close());
    const storage = fileOutbox({ path: join(folder(), 'outbox'), userId: 'ada' });
    const ada = clientOf(`ws://127.0.0.1:${proxy.port}/realtime`, { auth: 'ada', outbox: { storage } });
    const ben = clientOf(server.url, { auth: 'ben', reconnect: HURRY });
    const [story, bensStory] = [storyOf(ada), storyOf(ben)];
    for (const client of [ada, ben]) {
      await soon(client.connect(), 'it connects');
      await soon(client.room('reef').join(), 'it is in the room');
    }
    const outcomes = new Outcomes();
    const undelivered: Record<string, string> = {};
    ada.onUndelivered(({ payload }, { code, delivery }) => {
      undelivered[payload as string] = `${code} ${delivery}`;
    });
    const send = (name: string, options = {}, event = 'note'): void =>
      outcomes.watch(name, ada.send(event, name, options));
    const ask = (name: string, options = {}, method = 'echo'): void =>
      outcomes.watch(name, ada.request(method, name, options));
    const say = (name: string): void => outcomes.watch(name, ada.room('reef').send('say', name));
    const handled = (count: number) =>
      eventually(() => server.names('handled').length === count, `${count} are handled`);

    // Handled; of one the handler still runs, and a question is not answered yet.
    say('said');
    send('handled');
    send('begun', {}, 'slow');
    await outcomes.settled;
    await eventually(
      () => story.includes('heard handled') && bensStory.includes('ada: said'),
      'both have heard',
    );
    ask('open', {}, 'never');
    await handled(3);
    // Handled, but nobody tells.
    proxy.freeze('down');
    send('unheard');
    send('kept', { delivery: 'durable' });
    ask('unanswered');
    await handled(6);
    // On the wire.
    proxy.freeze();
    send('written');
    send('kept and written', { delivery: 'durable' });
    ask('asked');
    say('said to nobody');
    await eventually(() => ada.getOutbox().messages === 0, 'all are written');

    expect(await server.end(signal)).toBe(code);
    proxy.refuse();
    await proxy.cut();
    await eventually(() => ada.getState().status === 'reconnecting', 'it notices');
    // In the outbox; two may not wait for so long.
    send('waiting');
    send('kept and waiting', { delivery: 'durable' });
    ask('asked later');
    say('said later');
    send('too late', { ttlMs: 50 });
    ask('asked too late', { timeoutMs: 50 });
    await eventually(
      () => 'too late' in outcomes.ends && 'asked too late' in outcomes.ends,
      'it is too late',
    );
    expect(server.names('handled')).toHaveLength(6);
    await server.startAgain();
    await soon(ben.connect(), 'ben is back');
    proxy.heal();
    await soon(ada.connect(), 'ada is back');
    await outcomes.settled;
    await soon(ada.flush(), 'nothing is open');
    await eventually(() => story.includes('heard kept and waiting'), 'ada has heard');
    await eventually(() => bensStory.includes('ada: said later'), 'ben has heard');

    const unknown = 'ERR_SESSION_LOST unknown';
    const isBad = ([, end]: [string, string]): boolean => end.startsWith('ERR_');
    expect(undelivered).toEqual(Object.fromEntries(Object.entries(outcomes.ends).filter(isBad)));
    expect(outcomes.ends).toEqual({
      ...{ said: 'acknowledged', handled: 'acknowledged', begun: 'acknowledged', open: unknown },
      ...{ unheard: unknown, kept: unknown, unanswered: unknown },
      ...{ written: unknown, 'kept and written': unknown, asked: unknown, 'said to nobody': unknown },
      ...{ waiting: 'acknowledged', 'kept and waiting': 'acknowledged', 'said later': 'acknowledged' },
      ...{
        'asked later': 'answered',
        'too late': 'ERR_EXPIRED unsent',
        'asked too late': 'ERR_TIMEOUT unsent',
      },
    });
    expect(server.names('handled')).toEqual([
      ...['handled', 'begun', 'open', 'unheard', 'kept', 'unanswered'],
      ...['waiting', 'kept and waiting', 'asked later'],
    ]);
    // Who is asked to go finishes what runs.
    expect(server.names('finished')).toEqual(signal === 'SIGTERM' ? ['begun'] : []);
    // The session's own in order, durable ones each for itself when its fate is known; a room has an order of its own.
    const gap = 'gap: 0 new-epoch reef';
    expect(story.filter((line) => line !== gap)).toEqual([
      ...['heard handled', 'lost: begun, unheard, written, said to nobody'],
      ...['heard waiting', 'heard kept and waiting'],
    ]);
    expect(story.slice(2)).toContain(gap);
    expect(bensStory).toEqual(['ada: said', 'lost: ', gap, 'ada: said later']);
  },
);

test.each(ENDINGS)(
  '%s while five clients talk: what they are told is what was handled',
  async (signal, code) => {
    const server = await startServer();
    const outcomes = new Outcomes();
    const heard: string[] = [];
    const listed: string[] = [];
    const crew = Array.from({ length: 5 }, (_, index) => {
      const client = clientOf(server.url, { auth: `client ${index}`, reconnect: HURRY });
      client.on('heard', (name) => heard.push(name as string));
      client.onSessionLost(({ unknown }) => listed.push(...unknown.map(({ payload }) => payload as string)));
      return client;
    });
    await soon(Promise.all(crew.map((client) => client.connect())), 'all are connected');
    let round = 0;
    const talk = setInterval(() => {
      round++;
      for (const [index, client] of crew.entries()) {
        const name = `${index}:${round}`;
        if (round % 4 === 0) outcomes.watch(name, client.request('echo', name, { timeoutMs: 200 }));
        else outcomes.watch(name, client.send('note', name, { ttlMs: round % 4 === 1 ? 200 : Infinity }));
      }
    }, 10);
    onTestFinished(() => clearInterval(talk));
    await eventually(() => server.names('handled').length > 200, 'they talk');
    expect(await server.end(signal)).toBe(code);
    const before = server.names('handled').length;
    // Some do not wait for so long.
    await eventually(
      () => Object.values(outcomes.ends).some((end) => end.endsWith('unsent')),
      'some are unsent',
    );
    await server.startAgain();
    await eventually(() => server.names('handled').length > before + 200, 'they talk again');
    clearInterval(talk);
    await outcomes.settled;
    await soon(Promise.all(crew.map((client) => client.flush())), 'nothing is open');

    const handled = server.names('handled');
    const ended = (how: RegExp): string[] =>
      Object.keys(outcomes.ends).filter((name) => how.test(outcomes.ends[name] ?? ''));
    const good = ended(/^(acknowledged|answered)$/);
    const unsent = ended(/ unsent$/);
    const unknown = ended(/ unknown$/);
    expect(good.length + unsent.length + unknown.length).toBe(5 * round);
    // Once at most, and in order.
    for (const index of crew.keys()) {
      const rounds = handled
        .filter((name) => name.startsWith(`${index}:`))
        .map((name) => Number(name.slice(2)));
      expect(rounds).toEqual([...new Set(rounds)].sort((one, other) => one - other));
    }
    expect(good.filter((name) => !handled.includes(name))).toEqual([]);
    expect(unsent.filter((name) => handled.includes(name))).toEqual([]);
    expect(unsent.length).toBeGreaterThan(0);
    expect(handled.filter((name) => !good.includes(name) && !unknown.includes(name))).toEqual([]);
    const isEvent = (name: string): boolean => Number(name.split(':')[1]) % 4 !== 0;
    expect(unknown.filter((name) => isEvent(name) && !listed.includes(name))).toEqual([]);
    // The server's own, as far as it could still tell.
    expect(new Set(heard).size).toBe(heard.length);
    expect(server.names('acknowledged').filter((name) => !heard.includes(name))).toEqual([]);
    expect(server.names('unsent').filter((name) => heard.includes(name))).toEqual([]);
  },
);
