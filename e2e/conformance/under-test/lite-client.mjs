// The small client, driven by the lines of docs/conformance.md.

import { createInterface } from 'node:readline';
import { createClient } from '@holdfast/client/lite';

const say = (was, more) => console.log(JSON.stringify({ was, ...more }));
const nothing = () => undefined;
const logger = { warn: nothing, error: nothing };

say('ready', { can: ['rooms', 'hang'] });
const { HOLDFAST_URL: url, HOLDFAST_TOKEN: token } = process.env;
const client = createClient({ url, auth: token, reconnect: { baseMs: 50, capMs: 500 }, logger });
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
client.connect().catch(nothing);

const fateOf = ({ delivery, code }) => ({ as: delivery === 'rejected' ? 'refused' : delivery, code });
const settle = (id, as, outcome) =>
  outcome.then(
    (data) => say('settled', { id, as, data }),
    (error) => say('settled', { id, ...fateOf(error) }),
  );
const orders = {
  send: ({ id, name, data, room }) =>
    settle(id, 'acknowledged', (room ? client.room(room) : client).send(name, data)),
  request: ({ id, method, data }) => settle(id, 'answered', client.request(method, data)),
  join: ({ id, room }) => settle(id, 'answered', client.room(room).join()),
  close: () => client.close(),
};
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
});
input.on('close', () => process.exit());
