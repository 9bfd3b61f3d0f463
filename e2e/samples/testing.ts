import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoldfastError } from '@holdfast/client';
import { createTestbed } from '@holdfast/testing';
import { chat } from './chat-contract.js';

test('a message sent into a dead link arrives once', async () => {
  const got: string[] = [];
  await using bed = createTestbed({
    contract: chat,
    seed: 1,
    auth: (token) => ({ user: { id: token ?? 'guest', role: 'user' as const } }),
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('message', ({ text }, { session }) => {
        got.push(`${session.user.role}:${text}`);
      });
    },
  });
  const alice = bed.createClient({ auth: 'alice' });
  await bed.until(alice.connect());
  bed.freeze(alice);
  const sending = alice.send('message', { text: 'hello' });
  await bed.advance(5_000);
  assert.deepEqual(got, []);
  bed.heal(alice);
  assert.equal((await bed.until(sending)).outcome, 'acknowledged');
  assert.deepEqual(got, ['user:hello']);
  bed.cut(alice);
  await bed.settle();
  assert.equal(alice.getState().status, 'reconnecting');
  await bed.advance(60_000);
  const state = alice.getState();
  assert.equal(state.status === 'connected' && state.recovered, true);
  const lost = new Promise<number>((resolve) =>
    alice.onSessionLost(({ unknown }) => resolve(unknown.length)),
  );
  const doomed = alice.send('message', { text: '?' });
  await bed.settle(); // on the wire
  bed.restart({ keepStore: false });
  assert.equal(await bed.until(lost), 1);
  await assert.rejects(
    bed.until(doomed),
    (e) => isHoldfastError(e, 'ERR_SESSION_LOST') && e.delivery === 'unknown',
  );
});
