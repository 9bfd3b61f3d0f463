import { createLiteClientOn } from '@holdfast/client/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { silent } from './people.js';
import { Call } from './scripted.js';

const LATENCY_MS = 5;
const [EVT, BYE] = [2, 13];

/** A small client, whose server the test plays; each fetch of a token gives the next one. */
function life(...tokens: string[]) {
  const clock = new VirtualClock();
  const calls: Call[] = [];
  const ports = {
    ...{ clock, random: seededRandom(1), logger: silent, signals: { listen: () => () => undefined } },
    dialer: {
      dial(url: string, protocols: readonly string[], events: ConstructorParameters<typeof Call>[3]) {
        const call = new Call(clock, url, protocols, events);
        calls.push(call);
        call.open();
        return { send: (data: unknown) => call.take(data), close: () => undefined, bufferedBytes: 0 };
      },
    },
  };
  const auth = () => tokens.shift() ?? 'none';
  const client = createLiteClientOn(ports, { url: 'ws://played', auth });
  /** Lets it in as whoever it says it is. */
  const letIn = async (): Promise<Call> => {
    void client.connect().catch(() => undefined);
    await clock.advance(3 * LATENCY_MS);
    const call = calls.at(-1) as Call;
    call.welcome({ u: call.hello?.a, exp: 1 });
    await clock.advance(3 * LATENCY_MS);
    return call;
  };
  /** Its session is over, and its token old. */
  const end = (call: Call): Promise<void> => {
    call.say([BYE, 'ERR_SESSION_ENDED', 'enough']);
    return clock.advance(2_000);
  };
  return { client, letIn, end };
}

test('a room that was asked for by one user, while there was no session, is joined by the next', async () => {
  const { client, letIn, end } = life('ada', 'bob', 'bob');
  await end(await letIn());
  expect(client.getState().status).toBe('failed');
  void client.room('lobby').join();
  const { heard } = await letIn();
  expect(client.room('lobby').getState().status).toBe('joining');
  expect(heard.filter(([, name]) => name === '$join')).toHaveLength(1);
  await client.close();
});

test('what a listener says instead of what the user before has said goes out', async () => {
  const { client, letIn, end } = life('ada', 'bob', 'bob');
  await end(await letIn());
  const told: unknown[] = [];
  client.onUndelivered(({ payload }) => {
    if (told.push(payload) < 100)
      void client.send('note', 'for whoever it is').then(undefined, () => undefined);
  });
  void client.send('note', 'hers');
  const { heard } = await letIn();
  expect(told).toEqual(['hers']);
  expect(heard.filter(([type]) => type === EVT)).toMatchObject([[2, 'note', 'for whoever it is', {}]]);
  await client.close();
});

test('what a listener says while the client closes ends, too', async () => {
  const { client, letIn } = life('ada');
  await letIn();
  await client.disconnect();
  const ends: unknown[] = [];
  const say = (payload: string) =>
    void client.send('note', payload).then(undefined, ({ code }) => ends.push([payload, code]));
  client.onUndelivered(({ payload }) => {
    if (payload === 'first') say('second');
  });
  say('first');
  await client.close();
  await Promise.resolve();
  expect(ends).toEqual([
    ['first', 'ERR_CLOSED'],
    ['second', 'ERR_CLOSED'],
  ]);
});
