import type { Count } from './questions.js';
import { countFor, speaker, type Target } from './speaker.js';
import type { ClientEnd, Payload } from './system.js';

/** Connections that are being opened at a time. */
const OPENING = 50;

const audiences = new Map<string, Promise<unknown>>();
let hear: (publication: Payload) => void = () => undefined;

/** Every subscriber has to hear of a publication before the next one beyond `outstanding` is made. */
export async function fanOut(
  target: Target,
  { subscribers, outstanding, ms }: { subscribers: number; outstanding: number; ms: number },
): Promise<Count> {
  const { system } = target;
  const end = await speaker(target);
  const audience =
    audiences.get(system.key) ?? dialMany(target, subscribers, (publication) => hear(publication));
  audiences.set(system.key, audience);
  await audience;
  let messages = 0;
  const heardBy = new Map<number, number>();
  hear = ({ n }) => {
    messages++;
    const heard = (heardBy.get(n) ?? 0) + 1;
    if (heard < subscribers) return void heardBy.set(n, heard);
    heardBy.delete(n);
    end.send({ n, text: 'confirmed' });
  };
  end.send({ n: outstanding, text: 'publish' });
  return countFor(
    ms,
    () => messages,
    () => end.send({ n: 0, text: 'stop' }),
  );
}

export async function connectMore(target: Target, connections: number): Promise<Count> {
  const startedAt = performance.now();
  await dialMany(target, connections, undefined);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { messages: connections, seconds, handled: connections };
}

/** Kept, so that nobody collects them. */
const idle: ClientEnd[] = [];

/** `heard`: they are subscribed. */
async function dialMany(
  { system, port }: Target,
  count: number,
  heard: ((publication: Payload) => void) | undefined,
): Promise<void> {
  let left = count;
  const dial = async (): Promise<void> => {
    while (left-- > 0) idle.push(await system.dial(port, heard ?? (() => undefined), heard !== undefined));
  };
  await Promise.all(Array.from({ length: OPENING }, dial));
}
