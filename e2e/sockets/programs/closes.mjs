// Closes its client in the situation that the argument names; nothing else keeps this process.

import { createClient } from '@holdfast/client';

const [situation, ...urls] = process.argv.slice(2);
const hanging = () => new Promise(() => undefined);
const client = createClient({
  // One after the other, the last for ever.
  url: () => (urls.length > 1 ? urls.shift() : urls[0]),
  auth: situation === 'hanging-token' ? hanging : undefined,
  reconnect: { baseMs: 600_000, policy: () => 600_000 },
});
/** Whether the state is the one to close in. */
const isIt = {
  'hanging-token': ({ phase }) => phase === 'preparing',
  dialing: ({ phase }) => phase === 'dialing',
  handshaking: ({ phase }) => phase === 'handshaking',
  waiting: ({ status }) => status === 'reconnecting',
  connected: ({ status }) => status === 'connected',
  draining: () => false,
};
let isClosing = false;
const close = async () => {
  if (isClosing) return;
  isClosing = true;
  await client.close();
  console.log(`closed ${client.getState().status}`);
};
client.onState((state) => {
  // In a task of its own, when the deadline of that state has been set.
  if (isIt[situation](state)) setTimeout(close, 50);
});
client.on('close', () => void close());
client.connect().catch(() => undefined);
