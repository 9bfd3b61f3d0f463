import { quantile } from '../slow/figures.js';
import { FILLING, Push } from './push.js';
import type { Count } from './questions.js';
import type { ClientEnd, Payload, System } from './system.js';

export interface Target {
  readonly system: System;
  readonly port: number;
}

/** One way: so many messages may be unconfirmed. Far more than what is under way, far less than what fills a memory. */
const UNCONFIRMED = 4_096;
const CONFIRM_EVERY = 256;
/** Connections that are being opened at a time. */
const OPENING = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1_000;

/** Ends are kept: a connection is opened once, and measured again and again. */
const speakers = new Map<string, Promise<ClientEnd>>();
let heard: (payload: Payload) => void = () => undefined;

function speaker({ system, port }: Target): Promise<ClientEnd> {
  const known = speakers.get(system.key) ?? system.dial(port, (payload) => heard(payload), false);
  speakers.set(system.key, known);
  return known;
}

export async function requests(target: Target, inFlight: number, ms: number): Promise<Count> {
  const end = await speaker(target);
  const startedAt = performance.now();
  const latencies: number[] = [];
  let messages = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() - startedAt < ms) {
      const askedAt = performance.now();
      await end.request({ n: messages, text: FILLING });
      messages++;
      if (inFlight === 1) latencies.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, ask));
  return { messages, seconds: seconds(startedAt), p50Ms: quantile(latencies, 0.5) };
}

export async function upTo(target: Target, ms: number): Promise<Count> {
  const end = await speaker(target);
  const push = new Push((payload) => end.send(payload), UNCONFIRMED);
  // The server counts all that this connection has ever said.
  let before: number | undefined;
  heard = ({ n }) => {
    before ??= n - CONFIRM_EVERY;
    push.confirmed(n - before);
  };
  const startedAt = performance.now();
  push.run();
  await sleep(ms);
  const count = { messages: push.allConfirmed, seconds: seconds(startedAt) };
  push.stop();
  // What is under way comes to its end, so that it is not measured with what is next.
  for (let last = -1; last !== push.allConfirmed; ) {
    last = push.allConfirmed;
    await sleep(100);
  }
  // The next one begins where the server stands: in full hundreds again.
  for (let open = push.said % CONFIRM_EVERY; open % CONFIRM_EVERY !== 0; open++)
    end.send({ n: 0, text: FILLING });
  await sleep(100);
  return count;
}

export async function downFrom(target: Target, ms: number): Promise<Count> {
  const end = await speaker(target);
  let messages = 0;
  heard = () => {
    if (++messages % CONFIRM_EVERY === 0) end.send({ n: messages, text: 'confirmed' });
  };
  const startedAt = performance.now();
  end.send({ n: UNCONFIRMED, text: 'down' });
  await sleep(ms);
  const count = { messages, seconds: seconds(startedAt) };
  end.send({ n: 0, text: 'stop' });
  for (let last = -1; last !== messages; ) {
    last = messages;
    await sleep(100);
  }
  return count;
}

const audiences = new Map<string, Promise<unknown>>();
let published: () => void = () => undefined;

export async function fanOut(
  target: Target,
  { subscribers, outstanding, ms }: { subscribers: number; outstanding: number; ms: number },
): Promise<Count> {
  const { system } = target;
  const end = await speaker(target);
  const audience = audiences.get(system.key) ?? dialMany(target, subscribers, () => published());
  audiences.set(system.key, audience);
  await audience;
  let messages = 0;
  let whole = 0;
  published = () => {
    if (++messages < (whole + 1) * subscribers) return;
    whole++;
    end.send({ n: whole, text: 'confirmed' });
  };
  const startedAt = performance.now();
  end.send({ n: outstanding, text: 'publish' });
  await sleep(ms);
  const count = { messages, seconds: seconds(startedAt) };
  end.send({ n: 0, text: 'stop' });
  for (let last = -1; last !== messages; ) {
    last = messages;
    await sleep(100);
  }
  return count;
}

export async function connectMore(target: Target, connections: number): Promise<Count> {
  const startedAt = performance.now();
  await dialMany(target, connections, undefined);
  return { messages: connections, seconds: seconds(startedAt) };
}

/** Kept, so that nobody collects them. */
const idle: ClientEnd[] = [];

/** `hear`: they are subscribed. */
async function dialMany(
  { system, port }: Target,
  count: number,
  hear: (() => void) | undefined,
): Promise<void> {
  let left = count;
  const dial = async (): Promise<void> => {
    while (left-- > 0) idle.push(await system.dial(port, hear ?? (() => undefined), hear !== undefined));
  };
  await Promise.all(Array.from({ length: OPENING }, dial));
}
