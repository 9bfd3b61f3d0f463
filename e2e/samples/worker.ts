import { createClient } from '@holdfast/client';
import type { Chat } from './chat-contract.js';

const client = createClient<Chat>({
  url: new URL('/realtime', location.href),
  autoConnect: true,
  auth: () =>
    new Promise<string>((resolve) =>
      addEventListener('message', (e) => resolve(e.data as string), { once: true }),
    ),
});
client.onState((state) => postMessage({ state })); // must be structured-cloneable: errors lose their class, keep `code`
const off = client.on('message', (payload, meta) => postMessage({ payload, meta }));
addEventListener('message', (e: MessageEvent<{ text: string }>) =>
  client
    .send('message', e.data, { ttlMs: 60_000, delivery: 'latest', key: 'draft' })
    .catch((error: unknown) => postMessage({ error })),
);
off();
