// How many bytes of heap a server takes for a message, as JSON. To be run with a young generation so large that nothing is
// collected meanwhile, and on one thread, so that code is optimised at the same moment in each run: see allocations.test.ts.
import { json } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';

const MESSAGES = 2_000;
const MEMBERS = 10;
const TEXT = {
  text: 'some hundred bytes of text, as people write them when they talk to each other in a room',
};
const LOGGER = { debug() {}, info() {}, warn: console.warn, error: console.error };

const clock = new VirtualClock();
const ports = { clock, random: seededRandom(1), digest: systemDigest, logger: LOGGER };
const { server, accept } = createServerOn(ports, { limits: { messagesPerSecond: Infinity } });
server.on('note', () => undefined);
server.handle('echo', (input) => input);
server.rooms('lobby', { join: true, publish: true });

let answers = 0;
function dial(nonce) {
  const transport = {
    send(data) {
      if (data.includes('[4,')) answers++;
    },
    close() {},
    bufferedBytes: 0,
  };
  const events = accept(transport, json(), { address: '' });
  events.message(JSON.stringify([0, 0, [0, { v: 1, c: nonce, n: 1, w: [1_000, 1_048_576] }]]));
  return events;
}

/** Whatever waits for nothing but its turn happens. */
async function settle() {
  for (let turn = 0; turn < 4; turn++) await undefined;
}

const speaker = dial('speaker');
await settle();
let said = 0;
let heard = 0;
async function hear(item) {
  speaker.message(JSON.stringify([heard, ++said, item]));
  await settle();
}

/** Bytes for each; `isAnswered`: each answer is acknowledged with the next message. */
async function bytesOf(item, isAnswered = false) {
  let bytes = 0;
  // Twice as much beforehand: what is compiled then is not compiled when it counts.
  for (const times of [MESSAGES, MESSAGES, MESSAGES]) {
    const messages = Array.from({ length: times }, () =>
      JSON.stringify([isAnswered ? heard++ : heard, ++said, item]),
    );
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (const message of messages) {
      speaker.message(message);
      await settle();
    }
    bytes = Math.round((process.memoryUsage().heapUsed - before) / times);
  }
  return bytes;
}

const result = {};
result.event = await bytesOf([2, 'note', TEXT, { i: 'abcdefghijklmnopqrstuv' }]);
heard = answers;
result.request = await bytesOf([3, 'echo', TEXT], true);
heard = answers;
for (let member = 0; member < MEMBERS; member++) {
  const events = dial(`member-${member}`);
  await settle();
  events.message(JSON.stringify([0, 1, [3, '$join', { room: 'lobby' }]]));
  await settle();
}
heard = answers - MEMBERS;
await hear([3, '$join', { room: 'lobby' }]);
heard++;
result.publication = await bytesOf([2, 'note', TEXT, { i: 'abcdefghijklmnopqrstuv', r: 'lobby' }]);
console.log(JSON.stringify(result));
process.exit();
