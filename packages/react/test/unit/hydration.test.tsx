// @vitest-environment happy-dom
import { act } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { createStage, hooks } from '../support/stage.js';

const { HoldfastProvider, useConnection, useOutbox, useRoom } = hooks;

function Everything() {
  const { status } = useConnection();
  const { messages } = useOutbox();
  const { members, state } = useRoom('reef');
  return <p>{[status, messages, members.length, state.status].join(' ')}</p>;
}

test('what a server has rendered is taken over by a client that is connected already', async () => {
  const { bed, client } = createStage();
  const page = (
    <HoldfastProvider client={client}>
      <Everything />
    </HoldfastProvider>
  );
  const html = renderToString(page);
  await bed.until(client.connect());
  await bed.until(client.room('reef').join());
  const place = document.createElement('div');
  place.innerHTML = html;
  const mistakes: unknown[] = [];
  const root = await act(async () =>
    hydrateRoot(place, page, { onRecoverableError: (error) => mistakes.push(error) }),
  );
  expect(place.textContent).toBe('connected 0 1 joined');
  expect(mistakes).toEqual([]);
  await act(async () => {
    root.unmount();
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
});
