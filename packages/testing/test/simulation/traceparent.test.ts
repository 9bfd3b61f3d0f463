import { stream } from '@holdfast/client/stream';
import type { ServerSession } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';
import { openBed } from './people.js';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${trace}-00f067aa0ba902b7-01`;
const other = `00-${trace}-00f067aa0ba902b8-00`;
const zeros = '0'.repeat(16);

/** A server that notes the traces of what it handles, and a peer in its room. */
function tracing() {
  const bare = bareServer();
  const { server } = bare;
  const seen: (string | undefined)[] = [];
  const sessions: ServerSession[] = [];
  server.onSession((session) => sessions.push(session));
  server.on('note', (_payload, { traceparent }) => seen.push(traceparent));
  server.handle('ask', (_input, { traceparent }) => seen.push(traceparent));
  server.handleStream('read', async function* (_input, { traceparent }) {
    yield seen.push(traceparent);
  });
  const enter = () => {
    const peer = bare.dial();
    peer.hello();
    peer.frame([0, 1, [3, '$join', { room: 'lobby' }]]);
    return peer;
  };
  const [peer, listener] = [enter(), enter()];
  return { ...bare, seen, sessions, peer, listener };
}
/** What went along with the items of one type. */
const traces = (peer: Parameters<typeof itemsOf>[0], type: number, at: number) =>
  itemsOf(peer, type)
    .filter((item) => item.includes('note'))
    .map((item) => (item[at] as { c?: string } | undefined)?.c);

describe('a trace', () => {
  test('comes to the handlers of events, requests and streams', async () => {
    const { peer, seen, clock } = tracing();
    peer.frame([0, 2, [2, 'note', 1, { i: 'a', c: parent }]]);
    peer.frame([0, 3, [3, 'ask', 1, { c: other }]]);
    peer.frame([0, 4, [3, 'read', 1, { q: 1, c: parent }]]);
    peer.say([20, 'note', 1, { c: other }]);
    peer.frame([0, 5, [2, 'note', 1]]);
    await clock.advance(100);
    expect(seen.toSorted()).toEqual([parent, parent, other, other, undefined].toSorted());
  });

  test('goes on with what is published, to every member', async () => {
    const { peer, listener, clock } = tracing();
    peer.frame([0, 2, [2, 'note', 1, { r: 'lobby', c: parent }]]);
    await clock.advance(100);
    peer.say([20, 'note', 1, { r: 'lobby', c: other }]);
    await clock.advance(100);
    expect(traces(listener, 6, 5)).toEqual([parent]);
    expect(traces(listener, 20, 3)).toEqual([other]);
  });

  test('goes with what the server itself sends', async () => {
    const { server, sessions, listener, clock } = tracing();
    server.to('lobby').send('note', 1, { traceparent: parent });
    server.to('lobby').send('note', 1, { traceparent: other, delivery: 'volatile' });
    for (const session of sessions) {
      session.send('note', 1, { traceparent: other });
      session.send('note', 1);
      session.send('note', 1, { traceparent: parent, delivery: 'volatile' });
    }
    await clock.advance(100);
    expect(traces(listener, 6, 5)).toEqual([parent]);
    expect(traces(listener, 2, 3)).toEqual([other, undefined]);
    expect(traces(listener, 20, 3).toSorted()).toEqual([parent, other].toSorted());
  });

  test.each([
    ['no text', 7],
    ['an empty text', ''],
    ['the version ff', parent.replace(/^00/, 'ff')],
    ['capitals', parent.toUpperCase()],
    ['a trace of zeros', `00-${zeros}${zeros}-00f067aa0ba902b7-01`],
    ['a parent of zeros', `00-${trace}-${zeros}-01`],
    ['more behind version 00', `${parent}-00`],
    ['a line break', `${parent}\n`],
    ['far too much of a later version', `${parent.replace(/^00/, '01')}-${'x'.repeat(100)}`],
  ])(
    'that is none is ignored and goes no further, and refused from the application: %s',
    async (_what, c) => {
      const { server, peer, listener, seen, clock } = tracing();
      peer.frame([0, 2, [2, 'note', 1, { r: 'lobby', c }]]);
      await clock.advance(100);
      expect([seen, traces(listener, 6, 5), peer.closed]).toEqual([[undefined], [undefined], undefined]);
      const send = () => server.to('lobby').send('note', 1, { traceparent: c as string });
      expect(send).toThrow("send('note') traceparent must be a W3C traceparent");
    },
  );

  test('of a later version may say more', async () => {
    const { peer, seen, clock } = tracing();
    const later = `${parent.replace(/^00/, '01')}-more`;
    peer.frame([0, 2, [2, 'note', 1, { c: later }]]);
    await clock.advance(100);
    expect(seen).toEqual([later]);
  });
});

describe('with our own client', () => {
  test('a trace goes along both ways, with whatever is said', async () => {
    const seen: [string, string | undefined][] = [];
    const bed = openBed({
      setup(server) {
        const note = (what: string, { traceparent }: { traceparent?: string | undefined }) => {
          seen.push([what, traceparent]);
        };
        server.rooms('lobby', { join: true, publish: true });
        server.on('note', (_payload, context) => note(`event in ${context.room}`, context));
        server.handle('ask', (_payload, context) => note('request', context));
        server.handleStream('read', async function* (_input, context) {
          yield note('stream', context);
        });
        server.on('back', async (_payload, { session, traceparent }) => {
          session.send('answer', 1, { traceparent });
          await session.request('question', 1, { traceparent });
        });
      },
    });
    const [client, listener] = [bed.createClient(), bed.createClient()];
    for (const one of [client, listener]) {
      await bed.until(one.connect());
      await bed.until(one.room('lobby').join());
    }
    listener.on('note', (_payload, { traceparent }) => seen.push(['published', traceparent]));
    client.on('answer', (_payload, { traceparent }) => seen.push(['answer', traceparent]));
    client.handle('question', (_payload, { traceparent }) => void seen.push(['question', traceparent]));
    const traced = { traceparent: parent };
    await bed.until(client.send('note', 1, traced));
    await bed.until(client.request('ask', 1, traced));
    await bed.until(client.request('ask', 1));
    await bed.until(client.room('lobby').send('note', 1, traced));
    client.room('lobby').send('note', 1, { traceparent: other, delivery: 'volatile' });
    const reading = (async () => {
      for await (const _ of stream(client, 'read', 1, traced));
    })();
    await bed.until(reading);
    await bed.until(client.send('back', 1, traced));
    await bed.advance(100);
    expect(seen.sort()).toEqual(
      [
        ['event in undefined', parent],
        ['request', parent],
        ['request', undefined],
        ['event in lobby', parent],
        ['event in lobby', other],
        ['published', parent],
        ['published', other],
        ['stream', parent],
        ['answer', parent],
        ['question', parent],
      ].sort(),
    );
  });

  test('what is none is misuse', () => {
    const bed = openBed();
    const client = bed.createClient();
    const rule = 'traceparent must be a W3C traceparent, 00-<trace>-<parent>-<flags>, not';
    expect(() => client.send('note', 1, { traceparent: 'x' })).toThrow(`send('note') ${rule} 'x'`);
    expect(() => client.request('ask', 1, { traceparent: `00-${trace}-${zeros}-01` })).toThrow(rule);
  });
});
