// examples/plain-client.mjs, driven by the lines of docs/conformance.md: a model for adapters of other clients.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { plainClient } from '../../../examples/plain-client.mjs';

const { resolve } = createRequire(import.meta.url);
const { WebSocket } = createRequire(resolve('@holdfast/server'))('ws');
const EVT = 2;
const say = (was, more) => console.log(JSON.stringify({ was, ...more }));

say('ready', { can: ['rooms', 'hang'] });
const client = plainClient(process.env.HOLDFAST_URL, {
  token: process.env.HOLDFAST_TOKEN,
  WebSocket,
  // A test makes it impatient, and wants that to be noticed.
  capMs: Number(process.env.HOLDFAST_CAP_MS ?? 500),
  told: {
    event: (name, data) => say('event', { name, data }),
    request(method, data, signal) {
      if (method !== 'hang') return data;
      signal.addEventListener('abort', () => say('cancelled', { data }));
      return new Promise(() => {});
    },
    publication: (room, name, data) => say('publication', { room, name, data }),
    gap: (why, room) => say('gap', { why, room }),
    lost: (items) =>
      say('lost', { unknown: items.filter(([type]) => type === EVT).map(([, , data]) => data) }),
    stopped: (why) => say('stopped', { why }),
  },
});
const settle = (id, as, outcome) =>
  outcome.then(
    (data) => say('settled', { id, as, data }),
    ({ fate, code }) => say('settled', { id, as: fate, code }),
  );
const orders = {
  send: ({ id, name, data, room }) => settle(id, 'acknowledged', client.send(name, data, room)),
  request: ({ id, method, data }) => settle(id, 'answered', client.request(method, data)),
  join: ({ id, room }) => settle(id, 'answered', client.join(room)),
  close: () => client.close(),
};
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
});
input.on('close', () => process.exit());
