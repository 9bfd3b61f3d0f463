// What the inline script of page.html type-checks as (no contract, `unknown` payloads).
import * as Holdfast from '@holdfast/client';

const client = Holdfast.createClient({ url: 'wss://example.com/realtime', autoConnect: true });
client.on('message', (payload) => {
  const { text } = payload as { text: string };
  document.body.append(text);
});
client.onState((state) => (document.title = state.status));
client.send('message', { text: 'hello' });
client.send('ping');
const anything: unknown = await client.request('history', { before: 3 });
// @ts-expect-error unknown is not any
anything.length;
