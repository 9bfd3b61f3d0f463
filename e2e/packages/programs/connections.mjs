// How many bytes of heap connections take that are only there, as JSON: `held` by each that is open, and `left` by each that has
// come and gone. See allocations.test.ts.
import { json } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';

const CONNECTIONS = 2_000;
const ROUNDS = 10;
const LOGGER = { debug() {}, info() {}, warn: console.warn, error: console.error };
const SESSION_TTL_MS = 1_000;

const clock = new VirtualClock();
const ports = { clock, random: seededRandom(1), digest: systemDigest, logger: LOGGER };
const limits = { acceptPerSecond: 1e6 };
const { accept } = createServerOn(ports, { limits, sessionTtlMs: SESSION_TTL_MS });
const codec = json();

class Transport {
  bufferedBytes = 0;
  send() {}
  close() {}
}

let dialled = 0;
function dial() {
  const events = accept(new Transport(), codec, { address: '' });
  const hello = { v: 1, c: `nonce-${++dialled}`, n: 1, w: [1_000, 1_048_576], q: 100 };
  events.message(JSON.stringify([0, 0, [0, hello]]));
  // As a client does that looks how far away the server is: it is asked for what a session has no use for without it.
  events.message('[0,0,[7]]');
  return events;
}

function used() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** Whatever waits for nothing but its turn happens. */
async function settle() {
  for (let turn = 0; turn < 4; turn++) await undefined;
}

async function round() {
  const before = used();
  let open = Array.from({ length: CONNECTIONS }, dial);
  await settle();
  const held = used() - before;
  for (const events of open) events.close({ code: 1001, reason: '' });
  open = [];
  // Nobody comes back: the sessions end.
  await clock.advance(10 * SESSION_TTL_MS);
  return held / CONNECTIONS;
}

// What is compiled, and what is kept of sessions that have ended (so many at most) is there after some rounds.
for (let warmUp = 0; warmUp < ROUNDS; warmUp++) await round();
const before = used();
let held = 0;
for (let count = 0; count < ROUNDS; count++) held = await round();
const left = (used() - before) / (ROUNDS * CONNECTIONS);
console.log(JSON.stringify({ held: Math.round(held), left: Math.round(left) }));
process.exit();
