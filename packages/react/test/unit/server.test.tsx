import { createClient } from '@holdfast/client';
import { createHooks } from '@holdfast/react';
import { version } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';

const { HoldfastProvider, useConnection, useEvent, useLatest, useOutbox, useRoom, useSessionLost } =
  createHooks();

function Everything() {
  const { status } = useConnection();
  const { messages } = useOutbox();
  const { members, state } = useRoom('reef', { message: () => undefined });
  const nowhere = useRoom(null);
  useEvent('message', () => undefined);
  useSessionLost(() => undefined);
  const latest = useLatest('gauge');
  return (
    <p>{[status, messages, members.length, state.status, nowhere.state.status, String(latest)].join(' ')}</p>
  );
}

test('on a server nothing is connected to, and every hook says what a client says that nobody has asked', () => {
  expect(typeof document).toBe('undefined');
  const client = createClient({ url: 'ws://nobody.invalid/realtime' });
  const html = renderToString(
    <HoldfastProvider client={client}>
      <Everything />
    </HoldfastProvider>,
  );
  expect(html).toBe('<p>idle 0 0 idle idle undefined</p>');
  expect(client.getState().status).toBe('idle');
  expect(client.inspect().transitions).toEqual([]);
});

test('it is the React that is meant', () => {
  expect(version).toMatch(process.env['REACT'] === '18' ? /^18\./ : /^19\./);
});
