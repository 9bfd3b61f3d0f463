import { quantile } from '../slow/figures.js';
import { filling, Push } from './push.js';
import type { Count } from './questions.js';
import { countFor, hearWith, speaker, type Target } from './speaker.js';
import type { ClientEnd, Payload } from './system.js';

/** One way down: so many messages may be unconfirmed. Far more than what is under way, far less than what fills a memory. */
const UNCONFIRMED = 4_096;
/** What is confirmed at once is a sixteenth of what may be unconfirmed. */
const confirmEvery = (unconfirmed: number): number => Math.ceil(unconfirmed / 16);

export async function requests(
  target: Target,
  { inFlight, bytes, ms }: { inFlight: number; bytes: number; ms: number },
  say = (end: ClientEnd, payload: Payload): Promise<unknown> => end.request(payload),
): Promise<Count> {
  const end = await speaker(target);
  const text = filling(bytes);
  const startedAt = performance.now();
  const latencies: number[] = [];
  let messages = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() - startedAt < ms) {
      const askedAt = performance.now();
      await say(end, { n: messages, text });
      messages++;
      if (inFlight === 1) latencies.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, ask));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { messages, seconds, handled: messages, p50Ms: quantile(latencies, 0.5) };
}

export async function upTo(
  target: Target,
  { unconfirmed, bytes, ms }: { unconfirmed: number; bytes: number; ms: number },
): Promise<Count> {
  const end = await speaker(target);
  const push = new Push((payload) => end.send(payload), unconfirmed, bytes);
  hearWith(({ n }) => push.confirmed(n));
  const every = confirmEvery(unconfirmed);
  end.send({ n: every, text: 'up' });
  push.run();
  return countFor(
    ms,
    () => push.allConfirmed,
    () => push.stop(),
    () => push.said - push.allConfirmed < every,
  );
}

export async function downFrom(target: Target, ms: number): Promise<Count> {
  const every = confirmEvery(UNCONFIRMED);
  let messages = 0;
  const end = await speaker(target);
  hearWith(() => {
    if (++messages % every === 0) end.send({ n: messages, text: 'confirmed' });
  });
  end.send({ n: UNCONFIRMED, text: 'down' });
  return countFor(
    ms,
    () => messages,
    () => end.send({ n: 0, text: 'stop' }),
  );
}
