import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person } from './people.js';

const directions = ['both', 'up', 'down'] as const;

describe('a link on which bytes vanish while both ends believe in it', () => {
  test.each(directions)('idle, %s: noticed within 33 s, and not before it is silent', async (direction) => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(1_000);
    bed.freeze(alice.client, direction);
    // Upwards only the server can hear the silence; it says so after 2.2 of its own heartbeats.
    const limitMs = direction === 'up' ? 50_000 : 33_000;
    await bed.advance(5_000);
    expect(alice.client.getState().status).toBe('connected');
    await bed.advance(limitMs - 5_000);
    expect(alice.client.getState()).not.toMatchObject({ status: 'connected' });
    bed.heal(alice.client);
    await bed.until(alice.client.connect());
    await bed.until(alice.say('back'));
  });

  test.each(directions)('with a send unacknowledged, %s: noticed within 8 s', async (direction) => {
    const bed = openBed();
    const alice = await member(bed);
    await bed.advance(1_000);
    bed.freeze(alice.client, direction);
    const sent = endOf(alice.client.send('note', 1));
    await bed.advance(8_000);
    expect(alice.client.getState()).toMatchObject({
      status: 'reconnecting',
      lastError: { code: 'ERR_CONNECTION_LOST' },
    });
    expect(sent.end).toBe('open');
    bed.heal(alice.client);
    await bed.until(alice.client.connect());
    await bed.settle();
    await bed.advance(100);
    expect(sent).toEqual({ end: 'ok', times: 1 });
  });

  test('a request that waits for its handler is not mistaken for a dead link', async () => {
    const bed = openBed({
      setup: (server) =>
        void server.handle('slow', () => new Promise((yes) => bed.clock.setTimer(() => yes('done'), 25_000))),
    });
    const { client } = person(bed);
    await bed.until(client.connect());
    const statuses: string[] = [];
    client.onState(({ status }) => statuses.push(status));
    expect(await bed.until(client.request('slow'))).toBe('done');
    expect(statuses.filter((status) => status !== 'connected')).toEqual([]);
    expect(bed.dials(client)).toBe(1);
  });

  test('the round-trip time is known with the WELCOME, however long the server thinks about who may enter', async () => {
    const auth = async () => {
      await new Promise<void>((resolve) => bed.clock.setTimer(resolve, 3_000));
      return { user: { id: 'ada' } };
    };
    const bed = openBed({ latencyMs: 40, auth });
    const { client } = person(bed);
    await bed.until(client.connect());
    expect(client.getState()).toMatchObject({ status: 'connected', rttMs: 80 });
  });

  test('a quiet hour on a sound link: one connection, and a round-trip time', async () => {
    const bed = openBed({ latencyMs: 40 });
    const alice = await member(bed);
    await bed.advance(3_600_000);
    expect(alice.client.getState()).toMatchObject({ status: 'connected', rttMs: 80 });
    expect(bed.dials(alice.client)).toBe(1);
    expect(bed.server.stats()).toMatchObject({ sessions: 1, errors: 0 });
  });

  test('healed before the deadline: the same connection, and nothing is lost that was not sent meanwhile', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    await bed.advance(1_000);
    bed.freeze(alice.client);
    await bed.advance(20_000);
    bed.heal(alice.client);
    await bed.advance(60_000);
    expect(bed.dials(alice.client)).toBe(1);
    await bed.until(bob.say('still there?'));
    await bed.advance(100);
    expect(alice.heard).toEqual(['still there?']);
  });

  test('what was published into the void arrives once after the reconnect, in order', async () => {
    const bed = openBed();
    const alice = await member(bed);
    const bob = await member(bed);
    bed.freeze(alice.client, 'down');
    for (let n = 0; n < 50; n++) await bed.until(bob.say(`${n}`));
    await bed.advance(34_000);
    bed.heal(alice.client);
    await bed.advance(40_000);
    expect(alice.heard).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`));
  });

  test('the server lets the connection of who is silent go, within 2.2 heartbeats; the session waits', async () => {
    const bed = openBed({ heartbeat: { intervalMs: 1_000 } });
    const alice = await member(bed);
    const ended: string[] = [];
    bed.server.onSessionEnd((_session, { reason }) => ended.push(reason));
    bed.server.onDetach((_session, { code }) => ended.push(`detached ${code}`));
    bed.freeze(alice.client);
    await bed.advance(3_000);
    expect(ended).toEqual(['detached 3008']);
    expect(bed.server.stats()).toMatchObject({ connections: 0, sessions: 1, rooms: 1 });
    await bed.advance(160_000);
    expect(ended).toEqual(['detached 3008', 'expired']);
    expect(bed.server.stats()).toMatchObject({ connections: 0, sessions: 0, rooms: 0 });
  });
});

describe('a dial that leads nowhere', () => {
  test('no answer: given up after 10 s, the next one follows', async () => {
    const bed = openBed();
    const { client } = person(bed);
    bed.freeze(client);
    void client.connect();
    await bed.advance(9_990);
    expect(client.getState()).toMatchObject({ status: 'connecting', phase: 'dialing' });
    await bed.advance(20);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_DIAL_TIMEOUT' } });
    bed.heal(client);
    await bed.until(client.connect());
  });

  test('no WELCOME: given up after 10 s, the server forgets the half-made session', async () => {
    const bed = openBed();
    const { client } = person(bed);
    void client.connect();
    // After the open, before the HELLO arrives.
    await bed.advance(12);
    expect(client.getState()).toMatchObject({ status: 'connecting', phase: 'handshaking' });
    bed.freeze(client, 'down');
    await bed.advance(10_000);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_WELCOME_TIMEOUT' } });
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(bed.server.stats().sessions).toBe(1);
  });
});
