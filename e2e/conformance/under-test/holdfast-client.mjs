// Our own client, driven by the lines of docs/conformance.md.

import { createInterface } from 'node:readline';
import { createClient } from '@holdfast/client';
import { fileOutbox } from '@holdfast/client/storage-file';
import { stream } from '@holdfast/client/stream';

const say = (was, more) => console.log(JSON.stringify({ was, ...more }));
const nothing = () => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

say('ready', { can: ['rooms', 'giveUp', 'hang', 'streams', 'durable'] });
const { HOLDFAST_URL: url, HOLDFAST_TOKEN: token, HOLDFAST_DURABLE: path } = process.env;
const client = createClient({
  url,
  auth: token,
  outbox: { storage: path && fileOutbox({ path, userId: token }) },
  reconnect: { baseMs: 50, capMs: 500 },
  logger,
});
client.on('said', (data, { room }) =>
  room === undefined
    ? say('event', { name: 'said', data })
    : say('publication', { room, name: 'said', data }),
);
client.handle('echo', (data) => data);
client.handle('hang', (data, { signal }) => {
  signal.addEventListener('abort', () => say('cancelled', { data }));
  return new Promise(nothing);
});
client.onGap(({ reason, room }) => say('gap', { why: reason, room }));
client.onSessionLost(({ unknown }) => say('lost', { unknown: unknown.map(({ payload }) => payload) }));
client.onState(({ status }) => {
  if (['failed', 'needs-auth', 'closed'].includes(status)) say('stopped', { why: status });
});

const fateOf = ({ delivery, code }) => ({ as: delivery === 'rejected' ? 'refused' : delivery, code });
client.onRestored((messages) => {
  for (const { payload: data, sending } of messages)
    sending.then(
      () => say('restored', { data, as: 'acknowledged' }),
      (error) => say('restored', { data, ...fateOf(error) }),
    );
});
client.connect().catch(nothing);

const given = new Map();
const settle = (id, as, outcome) =>
  outcome.then(
    (data) => say('settled', { id, as, data }),
    (error) => say('settled', { id, ...fateOf(error) }),
  );
const streams = new Map();
/** Said once: who goes on reading finds an end, again and again. */
const ended = (id, fate) => streams.delete(id) && say('settled', { id, ...fate });
const readOne = (id) =>
  streams
    .get(id)
    ?.next()
    .then(
      ({ done, value }) => (done ? ended(id, { as: 'ended' }) : say('item', { of: id, data: value })),
      (error) => ended(id, fateOf(error)),
    );
const orders = {
  send({ id, name, data, room, durable }) {
    const target = room ? client.room(room) : client;
    const sending = target.send(name, data, durable ? { delivery: 'durable' } : {});
    sending.stored?.then(() => say('stored', { id, i: sending.id }), nothing);
    settle(id, 'acknowledged', sending);
  },
  request({ id, method, data }) {
    const abort = new AbortController();
    given.set(id, abort);
    settle(id, 'answered', client.request(method, data, { signal: abort.signal }));
  },
  stream: ({ id, method, data }) => streams.set(id, stream(client, method, data)),
  read({ of, count }) {
    for (let item = 0; item < count; item++) readOne(of);
  },
  leave({ of }) {
    const items = streams.get(of);
    streams.delete(of);
    items?.return();
  },
  join: ({ id, room }) => settle(id, 'answered', client.room(room).join()),
  giveUp: ({ of }) => given.get(of).abort(Object.assign(new Error('given up'), { delivery: 'unknown' })),
  close: () => client.close(),
};
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
});
input.on('close', () => process.exit());
