import { describe, expect, test } from 'vitest';
import { plainWorld } from './plain-world.js';

const full = expect.objectContaining({ code: 'ERR_OUTBOX_FULL', delivery: 'unsent' });
const thrown = (run: () => void): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('send', () => {
  test('in each state: kept, sent, kept, dropped', async () => {
    const { socket, clock, dialled, opened } = plainWorld();
    socket.send('before it dials');
    const first = await dialled();
    socket.send('while it dials');
    expect([first.sent, socket.bufferedAmount]).toEqual([[], 29]);
    first.open();
    socket.send('open');
    expect(first.sent).toEqual(['before it dials', 'while it dials', 'open']);
    first.end();
    socket.send('waiting');
    await clock.advance(1_000);
    const second = await opened();
    expect([first.sent.length, second.sent]).toEqual([3, ['waiting']]);
    socket.close();
    socket.send('closing');
    await clock.settle();
    socket.send('closed');
    expect([second.sent, socket.bufferedAmount]).toEqual([['waiting'], 0]);
    socket.reconnect();
    expect((await opened()).sent).toEqual([]);
  });

  test('what waits goes before the listeners of open do, in order, over several attempts', async () => {
    const { socket, clock, dialled, opened } = plainWorld();
    socket.onopen = () => socket.send('4');
    for (const text of ['1', '2']) socket.send(text);
    (await dialled()).end();
    socket.send('3');
    await clock.advance(1_000);
    const dial = await opened();
    socket.send('5');
    expect(dial.sent).toEqual(['1', '2', '3', '4', '5']);
  });

  test('close() keeps what waits for a reconnect()', async () => {
    const { socket, clock, dialled, opened } = plainWorld();
    socket.send('a');
    (await dialled()).end();
    socket.close();
    await clock.settle();
    expect(socket.bufferedAmount).toBe(1);
    socket.reconnect();
    expect((await opened()).sent).toEqual(['a']);
  });

  test('bufferedAmount: bytes, here and in the socket', async () => {
    const { socket, opened } = plainWorld();
    socket.send('ä€');
    socket.send(new Uint16Array(3));
    socket.send(new Blob(['1234']));
    expect(socket.bufferedAmount).toBe(5 + 6 + 4);
    const dial = await opened();
    expect(socket.bufferedAmount).toBe(0);
    dial.bufferedBytes = 7;
    expect(socket.bufferedAmount).toBe(7);
  });

  test('bytes are what they were when send was called', async () => {
    const { socket, opened } = plainWorld();
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(5);
    const blob = new Blob(['b']);
    const each = () => {
      socket.send(bytes.subarray(1, 3));
      socket.send(bytes.buffer);
      socket.send(new DataView(bytes.buffer, 3));
      socket.send(Buffer.from(bytes.buffer, 0, 1));
      socket.send(shared.buffer as unknown as ArrayBuffer);
      socket.send(blob);
    };
    each();
    const dial = await opened();
    each();
    bytes.fill(9);
    shared.fill(9);
    const [part, whole, view, buffer, common] = [[2, 3], [1, 2, 3, 4], [4], [1], [5, 5]].map((all) =>
      Uint8Array.from(all),
    );
    const expected = [part, whole, view, buffer, common, blob];
    expect(dial.sent).toEqual([...expected, ...expected]);
    expect(dial.sent[3]?.constructor).toBe(Uint8Array);
  });

  test('what is neither bytes nor a blob is sent as text, as by WebSocket', async () => {
    const { socket, opened } = plainWorld();
    const dial = await opened();
    for (const data of [5, null, undefined, { size: 1 }, ['a', 'b']]) socket.send(data as never);
    expect(dial.sent).toEqual(['5', 'null', 'undefined', '[object Object]', 'a,b']);
  });
});

describe('outbox', () => {
  test('reject: send throws beyond maxMessages, and nothing that was taken is lost', async () => {
    const { socket, opened } = plainWorld({ outbox: { maxMessages: 2 } });
    socket.send('1');
    socket.send('2');
    expect(thrown(() => socket.send('3'))).toEqual(full);
    expect((await opened()).sent).toEqual(['1', '2']);
    socket.send('4');
  });

  test('reject: and beyond maxBytes', async () => {
    const { socket, opened } = plainWorld({ outbox: { maxBytes: 4 } });
    socket.send('€');
    expect(thrown(() => socket.send('ää'))).toEqual(full);
    socket.send('a');
    expect((await opened()).sent).toEqual(['€', 'a']);
  });

  test('drop-oldest: as many as it takes', async () => {
    const { socket, opened } = plainWorld({
      outbox: { maxMessages: 3, maxBytes: 6, overflow: 'drop-oldest' },
    });
    for (const text of ['1', '2', '3', '4']) socket.send(text);
    expect(socket.bufferedAmount).toBe(3);
    socket.send('55555');
    expect(socket.bufferedAmount).toBe(6);
    expect((await opened()).sent).toEqual(['4', '55555']);
  });

  test('drop-oldest: what can never fit throws, and drops nothing', async () => {
    const { socket, opened } = plainWorld({ outbox: { maxBytes: 4, overflow: 'drop-oldest' } });
    socket.send('1');
    expect(thrown(() => socket.send('22222'))).toEqual(full);
    expect((await opened()).sent).toEqual(['1']);
  });

  test('by default 1000 messages and a megabyte', () => {
    const { socket } = plainWorld();
    for (let number = 0; number < 1_000; number++) socket.send('x');
    expect(thrown(() => socket.send('x'))).toEqual(full);
    const other = plainWorld().socket;
    other.send(new Uint8Array(1_048_576));
    expect(thrown(() => other.send('x'))).toEqual(full);
  });

  test('of very many, each goes and makes room as fast as one of few', async () => {
    const { socket, opened } = plainWorld({
      outbox: { maxMessages: 200_000, maxBytes: 10_000_000, overflow: 'drop-oldest' },
    });
    for (let number = 0; number < 400_000; number++) socket.send(`${number}`);
    const { sent } = await opened();
    expect([sent.length, sent[0], sent.at(-1), socket.bufferedAmount]).toEqual([
      200_000,
      '200000',
      '399999',
      0,
    ]);
  });

  test('what has been sent makes room', async () => {
    const { socket, opened } = plainWorld({ outbox: { maxMessages: 1, maxBytes: 1 } });
    socket.send('1');
    const dial = await opened();
    dial.end();
    socket.send('2');
    expect(thrown(() => socket.send('3'))).toEqual(full);
  });
});

describe('what comes in', () => {
  const talk = async (binaryType?: string) => {
    const { socket, opened } = plainWorld({ url: 'ws://x:81/path' });
    if (binaryType !== undefined) socket.binaryType = binaryType as BinaryType;
    const events: MessageEvent[] = [];
    socket.onmessage = (event) => events.push(event);
    const dial = await opened();
    const bytes = new Uint8Array([0, 1, 2]).subarray(1);
    dial.say('text');
    dial.say(bytes);
    bytes.fill(9);
    return { socket, events };
  };

  test('bytes are a Blob unless binaryType says otherwise', async () => {
    const { socket, events } = await talk();
    expect(socket.binaryType).toBe('blob');
    expect(events.map(({ data }) => data)).toEqual(['text', expect.any(Blob)]);
    const [, bytes] = events.map(({ data }) => data as Blob);
    expect(new Uint8Array((await bytes?.arrayBuffer()) ?? [])).toEqual(new Uint8Array([1, 2]));
  });

  test('arraybuffer: a buffer of its own', async () => {
    const { events } = await talk('arraybuffer');
    expect(events[1]?.data).toEqual(new Uint8Array([1, 2]).buffer);
  });

  test('a word that is none changes nothing', async () => {
    const { socket, events } = await talk('nodebuffer');
    expect(socket.binaryType).toBe('blob');
    expect(events[1]?.data).toBeInstanceOf(Blob);
  });

  test('the event is a MessageEvent with the origin of the server', async () => {
    const { events } = await talk();
    expect(events.map((event) => [event instanceof MessageEvent, event.origin])).toEqual([
      [true, 'ws://x:81'],
      [true, 'ws://x:81'],
    ]);
  });
});
