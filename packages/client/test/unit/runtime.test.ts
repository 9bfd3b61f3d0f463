import type { Transport, TransportEvents } from '@holdfast/protocol';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { createClientOn } from '../../src/client.js';

const welcome =
  '[0,0,[1,{"v":1,"s":"s","q":0,"u":"u","h":20000,"w":[1000,1000000],"m":1000000,"o":100,"ttl":1000,"d":"memory","k":"k","e":"e"}]]';

/** A client on sockets that a test plays by hand. */
function play(send: (data: unknown) => void) {
  const clock = new VirtualClock();
  const sockets: TransportEvents[] = [];
  const closed: [number, string][] = [];
  const dial = (_url: string, _protocols: readonly string[], events: TransportEvents): Transport => {
    sockets.push(events);
    return { send, close: (code, reason) => closed.push([code, reason]), bufferedBytes: 0 };
  };
  const listeners = { added: 0, removed: 0 };
  const signals = {
    listen: () => {
      listeners.added++;
      return () => listeners.removed++;
    },
  };
  const ports = { clock, random: seededRandom(1), dialer: { dial }, signals, logger: console };
  return { clock, sockets, closed, listeners, client: createClientOn(ports, { url: 'ws://x' }) };
}

test('a socket that throws is told of, and stops nothing that comes after', async () => {
  const frames: unknown[] = [];
  const { clock, sockets, client } = play((data) => {
    frames.push(data);
    if (frames.length === 2) throw new Error('InvalidStateError');
  });
  const told: string[] = [];
  client.onError(({ message }) => told.push(message));
  void client.connect();
  sockets[0]?.open('holdfast.v1.json');
  sockets[0]?.message(welcome);
  // Is answered.
  sockets[0]?.message('[0,0,[7]]');
  await clock.settle();
  expect(told).toEqual(["a listener of 'the client itself' failed: InvalidStateError"]);
  expect(client.getState().status).toBe('connected');
  sockets[0]?.close({ code: 1006, reason: '' });
  expect(client.getState().status).toBe('reconnecting');
  await clock.advance(1_000);
  expect(sockets).toHaveLength(2);
  await client.close();
  expect(clock.timers).toBe(0);
});

test('a socket that was left says nothing any more, whatever it says', async () => {
  const { clock, sockets, client } = play(() => undefined);
  void client.connect().catch(() => undefined);
  const [first] = sockets;
  client.disconnect();
  void client.connect();
  const states: string[] = [];
  client.onState(({ status }) => states.push(status));
  first?.open('holdfast.v1.json');
  first?.message(welcome);
  first?.message('rubbish');
  first?.close({ code: 4400, reason: '' });
  await clock.settle();
  expect(states).toEqual([]);
  expect(client.getState()).toMatchObject({ status: 'connecting', phase: 'dialing' });
  await client.close();
});

test('listeners on the page stand only between connect() and close()', async () => {
  const { listeners, client, sockets } = play(() => undefined);
  expect(listeners).toEqual({ added: 0, removed: 0 });
  void client.connect().catch(() => undefined);
  sockets[0]?.close({ code: 1006, reason: '' });
  void client.connect().catch(() => undefined);
  expect(listeners).toEqual({ added: 1, removed: 0 });
  await client.close();
  expect(listeners).toEqual({ added: 1, removed: 1 });
});

test('a socket is hung up, whatever the server has said of a room that is read only then', async () => {
  const { clock, sockets, closed, client } = play(() => undefined);
  void client.connect();
  sockets[0]?.open('holdfast.v1.json');
  sockets[0]?.message(welcome);
  const room = client.room('r');
  void room.join().catch(() => undefined);
  room.onState(({ status }) => {
    if (status === 'joined') void client.disconnect();
  });
  client.onError(() => undefined);
  await clock.settle();
  sockets[0]?.message('[1,1,[4,1,{"epoch":"e","offset":0}],[15,[["r","e",0,1]]],[6,1,1,"$member",5]]');
  expect([room.getState().status, client.getState().status]).toEqual(['joined', 'idle']);
  expect(closed).toEqual([[1000, '']]);
  await client.close();
});
