import type { WireData } from '@holdfast/protocol';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import type { TransportEvents } from '../../src/ports.js';
import { Tab } from '../../src/tabs/tab.js';
import { tabWorker, WorkerMeeting } from '../../src/tabs/worker-meeting.js';

/** A tab and the worker that has its socket; each word between them takes a moment. */
function tabAtWorker() {
  const clock = new VirtualClock();
  const sent: WireData[] = [];
  const told: string[] = [];
  let server: TransportEvents | undefined;
  const dialer = {
    dial(_url: string, protocols: readonly string[], events: TransportEvents) {
      server = events;
      clock.setTimer(() => events.open(protocols[0] ?? ''), 1);
      return { send: (data: WireData) => void sent.push(data), close: () => undefined, bufferedBytes: 0 };
    },
  };
  const serve = tabWorker({ clock, dialer, locks: { held: async () => new Set() } });
  const own = {
    dial(): never {
      throw new Error('it has a socket of its own');
    },
  };
  const tab = new Tab(own, { warn: () => undefined });
  const surroundings = {
    clock,
    random: seededRandom(1),
    signals: { listen: () => () => undefined },
    locks: { hold: () => () => undefined, held: async () => new Set<string>() },
    failed: (why: string) => void told.push(`failed: ${why}`),
    worker(heard: (word: unknown) => void) {
      const port = {
        post: (word: unknown) => void clock.setTimer(() => heard(word), 1),
        close: () => undefined,
      };
      const hear = serve(port);
      return { post: (word: unknown) => void clock.setTimer(() => hear(word), 1), close: () => undefined };
    },
  };
  tab.meeting = new WorkerMeeting(surroundings, tab);
  const events: TransportEvents = {
    open: (protocol) => void told.push(`open ${protocol}`),
    message: (data) => void told.push(`message ${data}`),
    close: ({ code }) => void told.push(`close ${code}`),
  };
  const dial = () => tab.dial('ws://x/', ['a'], events);
  return { clock, sent, told, dial, say: (data: string) => server?.message(data) };
}

test('a tab asks the worker for each connection once, also for its first one', async () => {
  const { clock, sent, told, dial, say } = tabAtWorker();
  const first = dial();
  await clock.advance(10);
  expect(sent).toEqual(['1o["a"]']);
  say('1o"a"');
  await clock.advance(10);
  first.send('hello');
  const second = dial();
  await clock.advance(10);
  expect(sent.slice(1)).toEqual(['1mhello', '2o["a"]']);
  expect(told).toEqual(['open a']);
  first.close(1000, '');
  second.close(1000, '');
  await clock.advance(10_000);
  expect(clock.timers).toBe(0);
});
