// How many bytes of heap a message of a client takes while it waits, with its text, as JSON: `sent` if nobody looks at what becomes of
// it, `awaited` if somebody does. See allocations.test.ts.
import { createClientOn } from '@holdfast/client/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';

const MESSAGES = 20_000;
const LOGGER = { debug() {}, info() {}, warn: console.warn, error: console.error };

const ports = {
  clock: new VirtualClock(),
  random: seededRandom(1),
  logger: LOGGER,
  // Nobody answers.
  dialer: { dial: () => ({ send() {}, close() {}, bufferedBytes: 0 }) },
  signals: { listen: () => () => undefined },
};
const client = createClientOn(ports, {
  url: 'ws://nobody.invalid/realtime',
  outbox: { maxMessages: 10 * MESSAGES, maxBytes: 2 ** 28 },
});

function used() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function bytesOf(say) {
  const payload = { text: 'the same for all of them' };
  const before = used();
  for (let count = 0; count < MESSAGES; count++) say(payload);
  return Math.round((used() - before) / MESSAGES);
}

const send = (payload) => void client.send('note', payload);
const wait = (payload) => void client.send('note', payload).then(() => undefined);
// What is compiled is there.
for (const say of [send, wait]) bytesOf(say);
console.log(JSON.stringify({ sent: bytesOf(send), awaited: bytesOf(wait) }));
process.exit();
