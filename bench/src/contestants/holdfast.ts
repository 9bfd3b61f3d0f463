import { createClient } from '@holdfast/client';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import { type Contestant, HOST, type Notes, RECONNECT, type ServerSide, type Side } from './contestant.js';

// The others say nothing of a cut either.
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Counts what has not settled, and notes what ended badly. */
class Sendings {
  readonly #notes: Notes;
  unsettled = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  follow(number: number, sending: PromiseLike<unknown>): void {
    this.unsettled++;
    sending.then(
      () => this.unsettled--,
      () => {
        this.unsettled--;
        this.#notes.told(number);
      },
    );
  }
}

async function serve(notes: Notes): Promise<ServerSide> {
  const server = createHoldfastServer({ logger, limits: { messagesPerSecond: Infinity } });
  const sendings = new Sendings(notes);
  let newest: ServerSession | undefined;
  server.on('up', (number) => notes.heard(Number(number)));
  server.onSession((session) => {
    newest = session;
  });
  const { port } = await server.listen(0, HOST);
  return {
    port,
    send(number) {
      if (newest) sendings.follow(number, newest.send('down', number));
      else notes.told(number);
    },
    pending: () => sendings.unsettled,
  };
}

async function dial(port: number, notes: Notes): Promise<Side> {
  const client = createClient({
    url: `ws://${HOST}:${port}/realtime`,
    reconnect: { baseMs: RECONNECT.minMs, capMs: RECONNECT.maxMs, minUptimeMs: 0 },
    // Of the others, too, the queues are as long as they like.
    outbox: { maxMessages: 1_000_000, maxBytes: 2 ** 30 },
    logger,
  });
  const sendings = new Sendings(notes);
  client.on('down', (number) => notes.heard(Number(number)));
  await client.connect();
  return {
    send: (number) => sendings.follow(number, client.send('up', number)),
    pending: () => sendings.unsettled,
  };
}

export const holdfast: Contestant = {
  key: 'holdfast',
  packages: ['@holdfast/client'],
  how: '`client.send`, `session.send`',
  quietMs: 5_000,
  serve,
  dial,
};
