import { createClient, isHoldfastError } from '@holdfast/client';
import { admin, type Chat } from './chat-contract.js';

const client = createClient<Chat>({ url: 'wss://example.com/realtime' });
const ns = client.namespace('/admin', admin);
await client.connect();
try {
  await ns.join();
} catch (e) {
  if (isHoldfastError(e, 'ERR_REJECTED')) console.log(e.reason, e.delivery);
}
ns.send('broadcast', { text: 'hi' });
const { sessions } = await ns.request('kick', { userId: 'u1' });
const lazy = client.namespace<typeof admin>('/admin');
lazy.send('broadcast', { text: 'types only' });
// @ts-expect-error an event of the root, not of this namespace
ns.send('message', { text: 'hi' });
// @ts-expect-error a namespace's name begins with a slash
client.namespace('admin');

export { sessions };
