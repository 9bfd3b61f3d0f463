import { createTestbed, type Testbed } from '@holdfast/testing';
import { afterEach, describe, expect, test } from 'vitest';

/** What a member of a room was told, in order. */
interface Seat {
  readonly client: ReturnType<Testbed['createClient']>;
  readonly heard: string[];
  readonly states: string[];
}

let bed: Testbed;
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  expect(bed.clock.timers).toBe(0);
});

function open(): Testbed {
  bed = createTestbed({
    setup(server) {
      server.rooms('*', { join: true, publish: true, presence: true });
      server.handle('echo', (input) => input);
    },
  });
  return bed;
}

async function sit(): Promise<Seat> {
  const client = bed.createClient();
  const heard: string[] = [];
  const states: string[] = [];
  client.onState(({ status }) => states.push(status));
  client.onGap(({ reason }) => heard.push(`gap: ${reason}`));
  const room = client.room('lobby');
  room.on('message', (payload) => heard.push(String(payload)));
  await bed.until(client.connect());
  await bed.until(room.join());
  return { client, heard, states };
}

describe('a connection is cut', () => {
  test('it comes back by itself, the room too, and what was said meanwhile arrives once, in order', async () => {
    open();
    const alice = await sit();
    const bob = await sit();
    const say = (seat: Seat, text: string) => seat.client.room('lobby').send('message', text);

    await bed.until(say(alice, 'one'));
    await bed.settle();
    bed.cut(bob.client);
    bed.refuse(bob.client);
    await bed.settle();
    expect(bob.client.getState()).toMatchObject({
      status: 'reconnecting',
      lastError: { code: 'ERR_CONNECTION_LOST' },
    });

    const fromBob = [say(bob, 'three'), say(bob, 'four')];
    expect(bob.client.getOutbox()).toMatchObject({ messages: 2, inflight: 0 });
    await bed.until(say(alice, 'two'));
    await bed.advance(10_000);
    expect(bob.client.getState().status).toBe('reconnecting');
    expect(bob.heard).toEqual(['one']);

    bed.heal(bob.client);
    const receipts = await bed.until(Promise.all(fromBob));
    await bed.settle();
    await bed.advance(100);
    expect(receipts.map(({ id, outcome }) => [id, outcome])).toEqual(
      fromBob.map(({ id }) => [id, 'acknowledged']),
    );
    expect(bob.heard).toEqual(['one', 'two']);
    expect(alice.heard).toEqual(['three', 'four']);
    expect(alice.client.room('lobby').members).toHaveLength(2);
    expect(bob.client.getState().status).toBe('connected');
    expect(bob.states.at(-1)).toBe('connected');
  });

  test('what was in flight is written again, in order, before what came later', async () => {
    open();
    const alice = await sit();
    const bob = await sit();
    const lost: unknown[] = [];
    bob.client.onSessionLost((told) => lost.push(told));
    const before = bob.client.getState();
    bed.freeze(bob.client);
    const first = bob.client.room('lobby').send('message', 'into the void');
    await bed.settle();
    expect(bob.client.getOutbox()).toMatchObject({ messages: 0, inflight: 1 });
    bed.cut(bob.client);
    bed.heal(bob.client);
    const later = bob.client.room('lobby').send('message', 'later');
    const receipts = await bed.until(Promise.all([first, later]));
    expect(receipts.map(({ outcome }) => outcome)).toEqual(['acknowledged', 'acknowledged']);
    await bed.advance(100);
    expect(alice.heard).toEqual(['into the void', 'later']);
    expect(lost).toEqual([]);
    expect(bob.client.getState()).toMatchObject({
      status: 'connected',
      recovered: true,
      sessionId: 'sessionId' in before && before.sessionId,
    });
  });

  test('the server is gone with its memory: what was in flight is told as unknown, before the new session', async () => {
    open();
    const alice = await sit();
    const bob = await sit();
    const story: string[] = [];
    bob.client.onSessionLost(({ unknown }) =>
      story.push(`lost: ${unknown.map(({ payload }) => payload).join()}`),
    );
    bob.client.onState(({ status }) => story.push(status));
    bed.freeze(bob.client);
    const doomed = bob.client.room('lobby').send('message', 'into the void');
    await bed.settle();
    bed.restart({ keepStore: false });
    bed.heal(bob.client);
    const waiting = bob.client.room('lobby').send('message', 'later');
    await expect(bed.until(doomed)).rejects.toMatchObject({ code: 'ERR_SESSION_LOST', delivery: 'unknown' });
    await bed.until(alice.client.connect());
    await bed.until(waiting);
    await bed.advance(100);
    expect(story.at(-1)).toBe('connected');
    expect(story.findIndex((line) => line.startsWith('lost'))).toBeLessThan(story.lastIndexOf('connected'));
    expect(story.filter((line) => line.startsWith('lost'))).toEqual(['lost: into the void']);
    expect(bob.client.getState()).toMatchObject({ status: 'connected', recovered: false });
  });
});

test('a link that stalls and goes on: what was sent into it arrives once, on the same session', async () => {
  open();
  const alice = await sit();
  const bob = await sit();
  const { client } = bob;
  const before = client.getState();
  bed.freeze(client);
  const sending = client.room('lobby').send('message', 'hello');
  await bed.advance(4_000);
  expect(alice.heard).toEqual([]);
  expect(client.getOutbox().inflight).toBe(1);
  bed.heal(client);
  expect((await bed.until(sending)).outcome).toBe('acknowledged');
  await bed.advance(60_000);
  expect(alice.heard).toEqual(['hello']);
  expect(client.getState()).toMatchObject({ sessionId: 'sessionId' in before && before.sessionId });
});

describe('the server is killed and started again', () => {
  test('both ends come back, rooms are rejoined, what was typed meanwhile arrives once', async () => {
    open();
    const alice = await sit();
    const bob = await sit();
    bed.stop();
    await bed.settle();
    const typed = [
      alice.client.room('lobby').send('message', 'from alice'),
      bob.client.room('lobby').send('message', 'from bob'),
    ];
    await bed.advance(20_000);
    expect(alice.client.getState()).toMatchObject({
      status: 'reconnecting',
      lastError: { code: 'ERR_DIAL_FAILED' },
    });
    bed.start({ keepStore: false });
    await bed.until(Promise.all(typed));
    await bed.advance(60_000);
    // Nobody can know what the old log held: that is told, once, and before what is new.
    expect(alice.heard).toEqual(['gap: new-epoch', 'from bob']);
    expect(bob.heard).toEqual(['gap: new-epoch', 'from alice']);
    expect(await bed.until(alice.client.request('echo', 'still here'))).toBe('still here');
    expect(alice.client.room('lobby').getState().status).toBe('joined');
  });

  test('a request on the wire is unknown, one that waits is answered by the new server', async () => {
    open();
    const { client } = await sit();
    bed.freeze(client, 'down');
    const asked = client.request('echo', 1);
    await bed.settle();
    bed.stop();
    await bed.settle();
    const waiting = client.request('echo', 2);
    bed.heal(client);
    bed.start({ keepStore: false });
    await expect(bed.until(asked)).rejects.toMatchObject({ code: 'ERR_SESSION_LOST', delivery: 'unknown' });
    expect(await bed.until(waiting)).toBe(2);
  });
});

test('close() is final: the server is told, nothing is left', async () => {
  open();
  const { client } = await sit();
  const ended: string[] = [];
  bed.server.onSessionEnd((_session, { reason }) => ended.push(reason));
  await client.close();
  await bed.advance(100);
  expect(client.getState()).toEqual({ status: 'closed', reason: 'close() was called' });
  expect(ended).toEqual(['closed']);
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect(client.send('x', 1)).rejects.toMatchObject({ code: 'ERR_CLOSED', delivery: 'unsent' });
});
