// The server: `server.js drop-oldest`. Its first word is its port.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createHoldfastServer, type ServerSession } from '@holdfast/server';
import {
  type Lane,
  now,
  type Overflow,
  type Sent,
  type ServerQuestion,
  type Tick,
  type Weight,
} from './questions.js';

const HOST = '127.0.0.1';
/** More than the sockets of a machine hold, and the server before it stops writing. */
const FILL = { times: 320, text: 'x'.repeat(65_536) };
/** More than an outbox holds. */
const FULL = 1_100;
/** So many messages may be under way to the crowd. */
const UNDER_WAY = 32;
const FILLER = 'x'.repeat(200);

// Whoever started us is gone, and with it the reason to be here.
process.on('disconnect', () => process.exit(1));

const [overflow] = process.argv.slice(2);
const server = createHoldfastServer({
  outbox: { overflow: overflow as Overflow },
  limits: { messagesPerSecond: Infinity },
});
server.rooms('*', { join: true });
/** How many messages everybody in the crowd has heard. */
let confirmed = 0;
/** Goes on when that are more. */
let more = (): void => undefined;
server.on('confirmed', (messages) => {
  confirmed = messages as number;
  more();
});
let said = 0;

async function say(lane: Lane): Promise<void> {
  const target = lane === 'room' ? server.to('all') : server.toAll();
  await target.send('tick', { at: now(), filler: FILLER } satisfies Tick);
  said++;
}

/** It has come last. */
let hundredth: ServerSession | undefined;
server.onSession((session) => {
  hundredth = session;
});

async function fill(): Promise<void> {
  for (let left = FILL.times; left > 0; left--) {
    await server.to('hundredth').send('fill', FILL.text);
    await turn();
  }
  // What finds no place, or gives way, ends with an error: that is what is measured here.
  for (let left = FULL; left > 0; left--) hundredth?.send('fill', '').catch(() => undefined);
}

/** Waits without work: what the processor does meanwhile would be counted. */
const confirmation = (): Promise<void> =>
  new Promise((resolve) => {
    more = resolve;
  });

/** `next` says one, or waits until it is time for one. */
async function sayFor(
  ms: number,
  next: (elapsedMs: number, messages: number) => Promise<void>,
): Promise<Sent> {
  const before = { said, at: now(), cpu: process.cpuUsage() };
  for (let elapsed = 0; elapsed < ms; elapsed = now() - before.at) await next(elapsed, said - before.said);
  while (confirmed < said) await confirmation();
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    messages: said - before.said,
    seconds: (now() - before.at) / 1_000,
    cpuMicros: user + system,
  };
}

function weigh(): Weight {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external };
}

async function act(question: ServerQuestion): Promise<object> {
  switch (question.ask) {
    case 'fill':
      await fill();
      return {};
    case 'settle':
      while ((server.stats().outboxBytes ?? 0) > 0) await sleep(5);
      return {};
    case 'steady': {
      const { lane, ms, perSecond } = question;
      const isDue = (elapsedMs: number, messages: number) => messages < (elapsedMs * perSecond) / 1_000;
      return sayFor(ms, (...so) => (isDue(...so) ? say(lane) : sleep(1)));
    }
    case 'flat-out': {
      const { lane, ms } = question;
      return sayFor(ms, () => (said - confirmed < UNDER_WAY ? say(lane) : confirmation()));
    }
    case 'weigh':
      return weigh();
  }
}

process.on('message', (question: ServerQuestion) => {
  void act(question).then((answer) => process.send?.(answer));
});
const { port } = await server.listen(0, HOST);
process.send?.({ port });
