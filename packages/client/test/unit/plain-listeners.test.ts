import { describe, expect, test, vi } from 'vitest';
import { line, plainWorld } from './plain-world.js';

const CONNECTING = 0;
const CLOSING = 2;

describe('listeners', () => {
  test('one that throws stops nobody, and is reported as those of any EventTarget are', async () => {
    const { socket, opened, log, faults } = plainWorld();
    const ours = process.rawListeners('uncaughtException');
    const seen: string[] = [];
    process
      .removeAllListeners('uncaughtException')
      .on('uncaughtException', ({ message }) => seen.push(message));
    socket.onopen = () => {
      throw new Error('handler');
    };
    socket.addEventListener('open', () => {
      throw new Error('listener');
    });
    socket.addEventListener('open', () => log.push('after'));
    const dial = await opened();
    dial.say('a');
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners('uncaughtException');
    for (const listener of ours) process.on('uncaughtException', listener as () => void);
    expect([log, seen, faults]).toEqual([['open', 'after', 'message a'], ['handler', 'listener'], []]);
  });

  test('one that sends, closes and reconnects: done after the event', async () => {
    const { socket, opened, clock, log } = plainWorld();
    socket.addEventListener('open', () => {
      socket.send('hello');
      socket.close();
      expect(socket.readyState).toBe(CLOSING);
      socket.send('too late');
    });
    socket.addEventListener('open', () => log.push('second listener'));
    const dial = await opened();
    await clock.settle();
    expect([dial.sent, dial.left, log]).toEqual([
      ['hello'],
      '1000',
      ['open', 'second listener', 'close 1000'],
    ]);
  });

  test('close() in one of error: the close of that attempt comes, and then the one at which it is CLOSED', async () => {
    const { socket, clock, dials } = plainWorld();
    const told: string[] = [];
    socket.onerror = () => {
      told.push(`error ${socket.readyState}`);
      socket.close();
    };
    socket.onclose = ({ code }) => told.push(`close ${code} ${socket.readyState}`);
    await clock.settle();
    dials[0]?.end();
    await clock.advance(60_000);
    expect([told, dials.length]).toEqual([
      [`error ${CONNECTING}`, `close 1006 ${CLOSING}`, 'close 1000 3'],
      1,
    ]);
  });

  test('one that reconnects has left the connection of its event: what it sends then is for the next one', async () => {
    const { socket, opened, log } = plainWorld();
    socket.onmessage = () => {
      socket.send('before');
      socket.reconnect();
      expect(socket.readyState).toBe(CONNECTING);
      socket.send('after');
    };
    const first = await opened();
    first.say('move');
    expect([first.sent, first.left]).toEqual([['before'], '1000']);
    const second = await opened();
    expect([second.sent, log]).toEqual([['after'], ['open', 'message move', 'close 1000', 'open']]);
  });

  test('on*: in the place where it was first set, replaced there, null takes it out', async () => {
    const { socket, opened } = plainWorld();
    const heard: string[] = [];
    const note = (name: string) => vi.fn(() => void heard.push(name));
    const first = note('first');
    expect([socket.onopen, socket.onmessage, socket.onerror, socket.onclose]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    socket.onmessage = first;
    expect(socket.onmessage).toBe(first);
    socket.addEventListener('message', note('listener'));
    socket.onmessage = note('second');
    const dial = await opened();
    dial.say('1');
    socket.onmessage = null;
    expect(socket.onmessage).toBe(null);
    dial.say('2');
    socket.onmessage = note('third');
    dial.say('3');
    expect(heard).toEqual(['second', 'listener', 'listener', 'listener', 'third']);
    expect(first).not.toHaveBeenCalled();
    socket.onmessage = 5 as never;
    expect(socket.onmessage).toBe(null);
  });

  test('on*: each with its event and with the socket as this', async () => {
    const { socket, opened, clock } = plainWorld();
    const heard: unknown[] = [];
    const note = function (this: unknown, event: Event) {
      heard.push([line(event), this === socket, event.target === socket]);
    };
    Object.assign(socket, { onopen: note, onmessage: note, onerror: note, onclose: note });
    const dial = await opened();
    dial.say('a');
    dial.end();
    const each = ['open', 'message a', 'error', 'close 1006 (unclean)'];
    expect(heard).toEqual(each.map((said) => [said, true, true]));
    Object.assign(socket, { onopen: null, onmessage: null, onerror: null, onclose: null });
    await clock.settle();
  });
});
