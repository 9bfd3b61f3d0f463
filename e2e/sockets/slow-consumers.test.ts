import type { HoldfastClient } from '@holdfast/client';
import type { ServerOptions, ServerSession } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, eventually, serve, soon } from './peers.js';

const QUICK = 4;
/** More than sockets and the proxy hold by far. */
const LARGE = 'x'.repeat(50_000);
const TIMES = 200;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Member {
  readonly client: HoldfastClient;
  readonly session: ServerSession;
  /** What it was told directly, and `gap` as often as something is missing. */
  readonly told: (number | 'gap')[];
  /** Offsets that it has heard in the room. */
  readonly heard: number[];
  /** How many it was told to be missing in the room. */
  missed: number;
}

/** Some who read, and one behind a proxy that can stop reading. */
async function crowd(outbox: ServerOptions['outbox']): Promise<{
  slow: Member;
  quick: Member[];
  proxy: TcpProxy;
  closes: number[];
  publish(): Promise<unknown>;
}> {
  const { server, url } = await serve({ outbox });
  const sessions: ServerSession[] = [];
  const closes: number[] = [];
  server.onSession((session) => sessions.push(session));
  server.onDetach((_session, { code }) => closes.push(code));
  const proxy = await createTcpProxy({ target: { port: Number(new URL(url).port) } });
  onTestFinished(() => proxy.close());
  const enter = async (address: string): Promise<Member> => {
    const client = clientOf(address, { logger: silent });
    await soon(client.connect(), 'it connects');
    const session = await eventually(() => sessions.pop() ?? false, 'its session');
    const member: Member = { client, session, told: [], heard: [], missed: 0 };
    client.on('tell', (n) => member.told.push(n as number));
    client.onGap(({ messages, room }) => {
      if (room === undefined) member.told.push(...Array<'gap'>(messages).fill('gap'));
      else member.missed += messages;
    });
    const room = client.room('r');
    room.on('large', (_payload, { seq }) => member.heard.push(seq as number));
    await soon(room.join(), 'it joins');
    return member;
  };
  const slow = await enter(url.replace(/:\d+/, `:${proxy.port}`));
  const quick: Member[] = [];
  for (let n = 0; n < QUICK; n++) quick.push(await enter(url));
  return { slow, quick, proxy, closes, publish: () => Promise.resolve(server.to('r').send('large', LARGE)) };
}

/** Tells it so many numbers; how each ended, as far as it has. */
function tell({ session }: Member, times: number): string[] {
  const ends = Array<string>(times).fill('open');
  for (let n = 0; n < times; n++) {
    session.send('tell', n).then(
      () => {
        ends[n] = 'ok';
      },
      ({ code, delivery }: { code: string; delivery: string }) => {
        ends[n] = `${code} ${delivery}`;
      },
    );
  }
  return ends;
}

const all = (times: number): number[] => Array.from({ length: times }, (_, n) => n);

/** Each has arrived, in order, or the sender has an error and the client a gap in its place. */
function isTruthful({ told }: Member, ends: readonly string[]): void {
  expect(told.map((one, n) => (one === 'gap' ? 'ERR_OUTBOX_FULL unsent' : `${one === n}`))).toEqual(
    ends.map((end) => (end === 'ok' ? 'true' : end)),
  );
}

test('one of several stops reading: nobody waits for it, neither who publishes nor who is told', async () => {
  const { slow, quick, proxy, publish, closes } = await crowd({ maxMessages: 50, overflow: 'drop-oldest' });
  proxy.freeze('down');
  const ends = tell(slow, 200);
  for (let n = 1; n <= TIMES; n++) {
    await soon(publish(), 'a publication stands');
    await eventually(() => quick.every(({ heard }) => heard.length === n), 'the quick ones hear it');
  }
  const others = quick.map((member) => tell(member, 40));
  for (const one of others) await eventually(() => one.every((end) => end === 'ok'), 'they acknowledge all');
  for (const { told } of quick) expect(told).toEqual(all(40));
  // All this while the slow one has read nothing and is there.
  expect([slow.heard, slow.told, closes]).toEqual([[], [], []]);
  expect(ends.filter((end) => end === 'ok')).toEqual([]);
  expect(ends.filter((end) => end === 'ERR_OUTBOX_FULL unsent').length).toBeGreaterThanOrEqual(150);

  proxy.heal();
  await eventually(() => slow.heard.length + slow.missed === TIMES, 'the slow one catches up in the room');
  await eventually(() => !ends.includes('open') && slow.told.length === 200, 'and in what it was told');
  isTruthful(slow, ends);
  expect(slow.missed).toBeGreaterThan(0);
  expect(slow.heard).toEqual([...slow.heard].sort((a, b) => a - b));
  expect(closes).toEqual([]);
});

test('disconnect: the slow one is let go at its bound, comes back when it reads, and knows what is missing', async () => {
  const { slow, quick, proxy, closes } = await crowd({ maxMessages: 50, overflow: 'disconnect' });
  proxy.freeze('down');
  const ends = tell(slow, 60);
  await eventually(() => closes.length > 0, 'it is let go');
  const others = quick.map((member) => tell(member, 40));
  for (const one of others) await eventually(() => one.every((end) => end === 'ok'), 'the others read');
  expect(ends).toEqual([...Array(50).fill('open'), ...Array(10).fill('ERR_OUTBOX_FULL unsent')]);
  proxy.heal();
  await eventually(() => !ends.includes('open') && slow.told.length === 60, 'it reads on');
  isTruthful(slow, ends);
  expect(slow.client.getState()).toMatchObject({ status: 'connected', recovered: true });
  expect(closes).toEqual([4408]);
});
