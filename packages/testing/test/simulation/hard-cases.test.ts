import { json } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { member, openBed, silent } from './people.js';

describe('publications are one by one', () => {
  test('two users who choose the same id have said two things', async () => {
    const bed = openBed({ auth: (token = 'guest') => ({ user: { id: token } }) });
    const [ada, bob, cy] = [
      await member(bed, { auth: 'ada' }),
      await member(bed, { auth: 'bob' }),
      await member(bed, { auth: 'cy' }),
    ];
    await bed.until(ada.room.send('message', 'from ada', { id: '1' }));
    await bed.until(bob.room.send('message', 'from bob', { id: '1' }));
    // Sent again by the one who has said it.
    await bed.until(bob.room.send('message', 'from bob', { id: '1' }));
    await bed.advance(100);
    expect(cy.heard).toEqual(['from ada', 'from bob']);
  });

  test('what bears no id at all is said each time', async () => {
    const { clock, server, connect } = serverOnPorts();
    server.rooms('*', { join: true, publish: true });
    const [speaker, listener] = [connect('a'), connect('b')];
    for (const { say } of [speaker, listener]) {
      say([0, 1, [3, '$join', { room: 'r' }]]);
      await clock.advance(100);
    }
    speaker.say([0, 2, [2, 'message', 'one', { r: 'r' }], [2, 'message', 'two', { r: 'r' }]]);
    await clock.advance(500);
    const said = listener.heard.filter(([type]) => type === 6).map(([, , , , payload]) => payload);
    expect(said).toEqual(['one', 'two']);
    await clock.until(server.close());
  });
});

/** A server, and peers on the bare wire that have said HELLO. */
function serverOnPorts(options: Parameters<typeof createServerOn>[1] = {}) {
  const clock = new VirtualClock();
  const ports = { clock, random: seededRandom(1), digest: systemDigest, logger: silent };
  const { server, accept } = createServerOn(ports, options);
  const connect = (nonce: string) => {
    const heard: unknown[][] = [];
    const socket = { bufferedBytes: 0 };
    const send = (data: unknown): void => {
      heard.push(...(JSON.parse(String(data)) as unknown[][]).slice(2));
    };
    const transport = {
      send,
      close: () => undefined,
      get bufferedBytes() {
        return socket.bufferedBytes;
      },
    };
    const events = accept(transport, json(), { address: 'here' });
    const say = (frame: unknown): void => events.message(JSON.stringify(frame));
    say([0, 0, [0, { v: 1, c: nonce, n: 1, w: [1_000, 1_048_576] }]]);
    return { say, heard, socket, events };
  };
  return { clock, server, connect };
}
