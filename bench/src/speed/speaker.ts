import type { ClientEnd, Payload, System } from './system.js';

export interface Target {
  readonly system: System;
  readonly port: number;
}

type Hear = (payload: Payload) => void;

/** Ends are kept: a connection is opened once, and measured again and again. */
const speakers = new Map<string, Promise<ClientEnd>>();
let hearing: Hear = () => undefined;

/** The one client that everything is said through. */
export function speaker({ system, port }: Target): Promise<ClientEnd> {
  const known = speakers.get(system.key) ?? system.dial(port, (payload) => hearing(payload), false);
  speakers.set(system.key, known);
  return known;
}

/** What it hears is told to the last one who has asked for it. */
export function hearWith(hear: Hear): void {
  hearing = hear;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What is still under way by then is left there. */
const DRAIN_MS = 20_000;

/**
 * How much a count grows within a time. Then stops it and waits for what is under way, so that it is not measured with what
 * is next: until `isDrained`, where that can be known, and nothing comes any more.
 */
export async function countFor(
  ms: number,
  counted: () => number,
  stop: () => void,
  isDrained: () => boolean = () => true,
) {
  const startedAt = performance.now();
  await sleep(ms);
  const stoppedAt = performance.now();
  const count = { messages: counted(), seconds: (stoppedAt - startedAt) / 1_000 };
  stop();
  for (let last = -1; last !== counted() || !isDrained(); ) {
    if (performance.now() - stoppedAt > DRAIN_MS) break;
    last = counted();
    await sleep(100);
  }
  return { ...count, handled: counted() };
}
