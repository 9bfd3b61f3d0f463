import type { Transport, WireData } from '@holdfast/protocol';
import { VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type SharedOpening, SharedSocket } from '../../src/gateway/shared-socket.js';

const MAX_MESSAGE_BYTES = 1_000;
/** Below that, what a tab has not taken is no burden. */
const MIN_UNTAKEN = 131_072;

/** A shared socket, what it says to the client, and what its connections hear. */
function socket({ accepts = true } = {}) {
  const clock = new VirtualClock();
  const said: WireData[] = [];
  let left: string | undefined;
  let bufferedBytes = 0;
  const transport: Transport = {
    send: (data) => void (left === undefined && said.push(data)),
    close: (code, reason) => {
      left ??= `${code} ${reason}`;
    },
    get bufferedBytes() {
      return bufferedBytes;
    },
  };
  const heard: string[] = [];
  const ends: Transport[] = [];
  const openings: SharedOpening[] = [];
  const accept = (opening: SharedOpening): void => {
    const n = ends.length + 1;
    opening.accept('holdfast.v1.json', (connection) => {
      ends.push(connection);
      return {
        message: (data) => void heard.push(`${n}: ${data}`),
        close: ({ code, reason }) => void heard.push(`${n} closed ${code} ${reason}`.trim()),
        drain: () => void heard.push(`${n} drained`),
      };
    });
  };
  const shared = new SharedSocket(transport, {
    clock,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBufferedBytes: 1_024,
    open: (opening) => {
      openings.push(opening);
      if (accepts) accept(opening);
    },
  });
  const open = (...indexes: number[]): void => {
    for (const index of indexes) shared.message(`${index}o["holdfast.v1.json"]`);
  };
  return {
    ...{ clock, said, heard, ends, openings, shared, open, accept },
    get left() {
      return left;
    },
    buffer(bytes: number) {
      bufferedBytes = bytes;
    },
  };
}

describe('a shared socket', () => {
  test('each connection hears what is said on it, and nothing else', () => {
    const { shared, open, ends, said, heard } = socket();
    open(1, 2);
    shared.message('1m[0,0]');
    shared.message(new Uint8Array([2, 65]));
    ends[1]?.send('hello');
    ends[0]?.send(new Uint8Array([7]));
    expect(heard).toEqual(['1: [0,0]', '2: 65']);
    expect(said).toEqual(['1o"holdfast.v1.json"', '2o"holdfast.v1.json"', '2mhello', new Uint8Array([1, 7])]);
  });

  test('a connection that its client closes ends alone', () => {
    const { shared, open, ends, said, heard } = socket();
    open(1, 2);
    shared.message('1c[1000,"done"]');
    shared.message('1m[0,0]');
    ends[0]?.send('too late');
    shared.message('2m[0,0]');
    expect(heard).toEqual(['1 closed 1000 done', '2: [0,0]']);
    expect(said).toHaveLength(2);
  });

  test('a connection that the server closes ends alone, and what was on its way is nobody’s', async () => {
    const { clock, shared, open, ends, said, heard } = socket();
    open(1, 2);
    ends[0]?.close(4408, 'reads too slowly');
    shared.message('1m[0,0]');
    await clock.settle();
    expect(said.at(-1)).toBe('1c[4408,"reads too slowly"]');
    expect(heard).toEqual(['1 closed 4408 reads too slowly']);
  });

  test('one that hangs up at once hears that it has', async () => {
    const { clock, said, heard, shared } = socket({ accepts: false });
    shared.message('1o["x"]');
    const own = socket({ accepts: false });
    own.shared.message('1o["x"]');
    own.openings[0]?.accept('x', (connection) => {
      connection.close(1012, 'ra=1000');
      return { message: () => undefined, close: ({ code }) => void own.heard.push(`closed ${code}`) };
    });
    await own.clock.settle();
    expect([own.said, own.heard]).toEqual([['1o"x"', '1c[1012,"ra=1000"]'], ['closed 1012']]);
    await clock.settle();
    expect([said, heard]).toEqual([[], []]);
  });

  test('the socket ends: so do all of its connections', () => {
    const { shared, open, heard } = socket();
    open(1, 2);
    shared.close({ code: 1006, reason: '' });
    shared.message('1m[0,0]');
    expect(heard).toEqual(['1 closed 1006', '2 closed 1006']);
  });

  test.each([
    ['a word that it cannot read', '2x', '2c[4400,"neither a message nor a word of the shared socket"]'],
    ['a close that says nothing', '2c{}', '2c[4400,"a close says a code and a reason"]'],
    ['more taken than was said', '2t1', '2c[4400,"more was taken than was said"]'],
    ['a message that is too big', `2m${'x'.repeat(MAX_MESSAGE_BYTES + 1)}`, '2c[1009,"too big"]'],
  ])('%s: that connection ends, and the others go on', async (_what, data, answer) => {
    const { clock, shared, open, said, heard, left } = socket();
    open(1, 2, 3);
    shared.message(data);
    shared.message('1m[0,0]');
    await clock.settle();
    expect([said.at(-1), left]).toEqual([answer, undefined]);
    expect(heard).toEqual(['1: [0,0]', expect.stringMatching(/^2 closed (4400|1009)/)]);
  });

  test.each([
    ['no number', 'hello', 'no number of a connection'],
    ['no number in bytes', new Uint8Array([0]), 'no number of a connection'],
    ['a connection that was never opened', '7m[0,0]', 'connection 7 was never opened'],
    ['a number that has been', '1o["holdfast.v1.json"]', 'connection 1 was opened before'],
    ['a word of servers', '0r', 'not from a client'],
    ['another word of servers', '1o"holdfast.v1.json"', 'not from a client'],
  ])('%s: nobody knows what is meant, and the socket ends', (_what, data, why) => {
    const its = socket();
    its.open(1, 2);
    its.shared.message(data);
    its.shared.message('1m[0,0]');
    expect(its.left).toBe(`4400 ${why}`);
    expect(its.heard).toEqual([`1 closed 4400 ${why}`, `2 closed 4400 ${why}`]);
  });

  test('one connection more than there may be is refused, and the others stand', () => {
    const { shared, open, ends, said } = socket();
    open(...Array.from({ length: 65 }, (_, at) => at + 1));
    expect(said.at(-1)).toBe('65c[4429,"ra=10000"]');
    expect(ends).toHaveLength(64);
    shared.message('1c[1000,""]');
    open(66);
    expect(said.at(-1)).toBe('66o"holdfast.v1.json"');
  });

  test('a socket without a connection is not kept', async () => {
    const its = socket();
    await its.clock.advance(4_999);
    its.open(1);
    await its.clock.advance(60_000);
    expect(its.left).toBeUndefined();
    its.shared.message('1c[1000,""]');
    await its.clock.advance(5_000);
    expect([its.left, its.clock.timers]).toEqual(['1000 no connection on this socket', 0]);
  });

  test('messages before there is a word on the opening end it; whoever decides is told', () => {
    const { shared, openings, said, accept } = socket({ accepts: false });
    let gone = 0;
    shared.message('1o["a"]');
    openings[0]?.whenGone(() => {
      gone++;
    });
    shared.message('1m[0,0]');
    if (openings[0]) accept(openings[0]);
    return Promise.resolve().then(() => {
      expect([said, gone]).toEqual([['1c[4400,"not opened yet"]'], 1]);
    });
  });

  test('a refused opening is told, with its reason', () => {
    const { shared, openings, said } = socket({ accepts: false });
    shared.message('1o["a"]');
    openings[0]?.refuse(3003, 'not you');
    expect(said).toEqual(['1c[3003,"not you"]']);
  });

  test('what a tab has not taken counts, for itself only', () => {
    const { shared, open, ends, heard } = socket();
    open(1, 2);
    const [one, other] = ends as [Transport, Transport];
    const times = Math.floor(MIN_UNTAKEN / 1_000) + 1;
    for (let n = 0; n < times; n++) one.send('x'.repeat(1_000));
    expect([one.bufferedBytes > 1_024, other.bufferedBytes]).toEqual([true, 0]);
    // The socket itself is free, which is no news for whoever does not read.
    shared.drain();
    expect(heard).toEqual(['2 drained']);
    shared.message('1t32');
    expect(heard).toHaveLength(1);
    shared.message('1t64');
    expect(heard.at(-1)).toBe('1 drained');
    expect(one.bufferedBytes).toBeLessThan(1_024);
  });

  test('what waits in the socket counts for all; when it drains, each is told first in its turn', () => {
    const its = socket();
    its.open(1, 2, 3);
    its.buffer(5_000);
    expect(its.ends.map((end) => end.bufferedBytes)).toEqual([5_000, 5_000, 5_000]);
    its.buffer(0);
    for (let n = 0; n < 3; n++) its.shared.drain();
    const order = its.heard.map((one) => one.slice(0, 1)).join('');
    expect(order).toBe('123231312');
  });

  test('a server that drains says once that new connections go elsewhere', () => {
    const { shared, open, said } = socket();
    open(1);
    shared.retire();
    shared.retire();
    expect(said).toEqual(['1o"holdfast.v1.json"', '0r']);
  });
});
