import type { ClientOptions, ClientRoom, Gap, HoldfastClient, Logger } from '@holdfast/client';
import { createTestbed, type Testbed, type TestbedOptions } from '@holdfast/testing';
import { expect, onTestFinished } from 'vitest';

/** For what is told to the application elsewhere, or is not what the test is about. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A testbed that is taken down when the test is over: nothing may be left ticking then. */
export function openBed(options: TestbedOptions = {}): Testbed {
  const bed = createTestbed({
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('note', () => undefined);
      server.handle('echo', (input) => input);
    },
    ...options,
  });
  onTestFinished(async () => {
    await bed[Symbol.asyncDispose]();
    expect(bed.clock.timers, 'timers left when all is closed').toBe(0);
  });
  return bed;
}

/** A client in the room `lobby`, and all that it was told there. */
export interface Person {
  readonly client: HoldfastClient;
  readonly room: ClientRoom;
  /** Payloads, and `gap <messages> <reason>`, in order. */
  readonly heard: string[];
  say(text: string): Promise<unknown>;
}

export function person(bed: Testbed, options: Partial<Omit<ClientOptions, 'url'>> = {}): Person {
  const client = bed.createClient(options);
  const room = client.room('lobby');
  const heard: string[] = [];
  room.on('message', (payload) => heard.push(String(payload)));
  client.onGap(({ messages, reason }: Gap) => heard.push(`gap ${messages} ${reason}`));
  return { client, room, heard, say: (text) => room.send('message', text) };
}

/** A person who is in the room. */
export async function member(
  bed: Testbed,
  options: Partial<Omit<ClientOptions, 'url'>> = {},
): Promise<Person> {
  const made = person(bed, options);
  await bed.until(made.client.connect());
  await bed.until(made.room.join());
  return made;
}

/** How a promise ended: `ok`, or the code and delivery of its error; `open` as long as it has not. */
export interface Ending {
  readonly end: string;
  readonly times: number;
}

export function endOf(promise: PromiseLike<unknown>): Ending {
  const seen = { end: 'open', times: 0 };
  promise.then(
    () => Object.assign(seen, { end: 'ok', times: seen.times + 1 }),
    (error: { code?: string; delivery?: string; message?: string }) => {
      const end = [error.code ?? error.message, error.delivery].filter(Boolean).join(' ');
      Object.assign(seen, { end, times: seen.times + 1 });
    },
  );
  return seen;
}
