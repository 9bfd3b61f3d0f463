import { createClient } from '@holdfast/client';
import { createComposables } from '@holdfast/vue';
import { expect, test, vi } from 'vitest';
import { createSSRApp, defineComponent } from 'vue';
import { renderToString } from 'vue/server-renderer';

const { plugin, useConnection, useEvent, useLatest, useOutbox, useRoom, useSessionLost } =
  createComposables();

const Everything = defineComponent(() => {
  const connection = useConnection();
  const outbox = useOutbox();
  const { members, state } = useRoom('reef', { message: () => undefined });
  const nowhere = useRoom(null);
  useEvent('message', () => undefined);
  useSessionLost(() => undefined);
  const latest = useLatest('gauge');
  return () =>
    [
      ...[connection.value.status, outbox.value.messages, members.value.length],
      ...[state.value.status, nowhere.state.value.status, String(latest.value)],
    ].join(' ');
});

test('on a server nothing is connected to, nobody listens, and each says what a client says that nobody has asked', async () => {
  expect(typeof document).toBe('undefined');
  const real = createClient({ url: 'ws://nobody.invalid/realtime' });
  const listen = vi.fn(() => () => undefined);
  const client = { ...real, on: listen, onState: listen, onOutbox: listen, onSessionLost: listen };
  const html = await renderToString(createSSRApp(Everything).use(plugin(client)));
  expect(html).toBe('idle 0 0 idle idle undefined');
  expect(listen).not.toHaveBeenCalled();
  expect(client.getState().status).toBe('idle');
  expect(client.inspect().transitions).toEqual([]);
});
