import type { Gap, LostSession } from '@holdfast/client';
import type { LiteClient, LiteOptions, LiteRoom } from '@holdfast/client/lite';
import { type ClientPorts, createLiteClientOn, type Signal } from '@holdfast/client/ports';
import type { HoldfastServer, ServerOptions, ServerSession } from '@holdfast/server';
import { json } from '@holdfast/server';
import { createServerOn, MemoryStore, negotiate, systemDigest } from '@holdfast/server/ports';
import { type MemoryLink, MemoryNetwork, seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, onTestFinished } from 'vitest';
import { type MortalStore, mortal } from '../../src/mortal-store.js';
import { silent } from './people.js';

const LATENCY_MS = 5;

/** A small client on its way into the network, and all that it was told. */
export interface Guest {
  readonly client: LiteClient;
  /** `lobby`, not joined yet. */
  readonly room: LiteRoom;
  readonly link: MemoryLink;
  /** Payloads of `message` in the room, and `gap <messages> <reason>`, in order. */
  readonly heard: string[];
  /** Codes of what was told to `onError`. */
  readonly errors: string[];
  readonly statuses: string[];
  readonly lost: LostSession[];
  /** `<event> <code> <delivery>` of what was told to `onUndelivered`. */
  readonly undelivered: string[];
  signal(signal: Signal): void;
}

/** The small client and the real server on a network in memory, in virtual time. */
export interface LiteBed {
  readonly clock: VirtualClock;
  readonly server: HoldfastServer;
  /** The newest session. */
  readonly session: ServerSession;
  guest(options?: Partial<LiteOptions>): Guest;
  /** Connected. */
  connected(options?: Partial<LiteOptions>): Promise<Guest>;
  advance(ms: number): Promise<void>;
  until<V>(promise: PromiseLike<V>): Promise<V>;
  /** Kills the server: nothing is said, connections are reset. */
  stop(): void;
  /** Another one. Without the store, what the one before knew is gone. */
  start(options?: { keepStore?: boolean }): void;
}

/** Nothing may be left ticking when the test is over. */
export function liteBed({
  setup,
  ...options
}: ServerOptions & { setup?(server: HoldfastServer): void } = {}): LiteBed {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const network = new MemoryNetwork(clock, LATENCY_MS);
  const sessions: ServerSession[] = [];
  const guests: Guest[] = [];
  let memory = new MemoryStore({ clock, random });
  let process: MortalStore;
  let server = born();

  function born(): HoldfastServer {
    process = mortal(memory);
    const ports = { clock, random, digest: systemDigest, logger: silent, store: process.store };
    const made = createServerOn(ports, options);
    made.server.onSession((session) => sessions.push(session));
    if (setup) setup(made.server);
    else usual(made.server);
    network.listener = {
      connect(protocols, address) {
        const result = negotiate(protocols, options.codecs ?? [json()]);
        if (result.outcome !== 'agreed') return { refused: result.outcome };
        const { protocol, codec } = result;
        return { protocol, serve: (transport) => made.accept(transport, codec, { address }) };
      },
    };
    return made.server;
  }

  const bed: LiteBed = {
    clock,
    get server() {
      return server;
    },
    get session() {
      const session = sessions.at(-1);
      if (!session) throw new Error('nobody has come');
      return session;
    },
    guest(guestOptions = {}) {
      const link = network.link(`guest-${guests.length}`);
      const guest = guestOn({ clock, random, dialer: link, logger: silent }, link, guestOptions);
      guests.push(guest);
      return guest;
    },
    async connected(guestOptions) {
      const guest = bed.guest(guestOptions);
      await clock.until(guest.client.connect());
      return guest;
    },
    advance: (ms) => clock.advance(ms),
    until: (promise) => clock.until(promise),
    stop() {
      network.listener = undefined;
      for (const { link } of guests) link.reset();
      process.die();
      void server.close();
    },
    start({ keepStore = true } = {}) {
      if (!keepStore) memory = new MemoryStore({ clock, random });
      server = born();
    },
  };
  onTestFinished(async () => {
    await clock.until(Promise.all(guests.map(({ client }) => client.close())));
    await clock.until(server.close());
    await clock.advance(2 * LATENCY_MS);
    expect(clock.timers, 'timers left when all is closed').toBe(0);
  });
  return bed;
}

function usual(server: HoldfastServer): void {
  server.rooms('*', { join: true, publish: true });
  server.on('note', () => undefined);
  server.handle('echo', (input) => input);
}

function guestOn(
  around: Omit<ClientPorts, 'signals'>,
  link: MemoryLink,
  options: Partial<LiteOptions>,
): Guest {
  const listeners = new Set<(signal: Signal) => void>();
  const signals = {
    listen(listener: (signal: Signal) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const client = createLiteClientOn({ ...around, signals }, { url: 'ws://bed/realtime', ...options });
  const room = client.room('lobby');
  const [heard, errors, statuses, undelivered]: string[][] = [[], [], [], []];
  const lost: LostSession[] = [];
  room.on('message', (payload) => heard?.push(String(payload)));
  client.onGap(({ messages, reason }: Gap) => heard?.push(`gap ${messages} ${reason}`));
  client.onError(({ code }) => errors?.push(code));
  client.onState(({ status }) => statuses?.push(status));
  client.onSessionLost((one) => lost.push(one));
  client.onUndelivered(({ event }, { code, delivery }) => undelivered?.push(`${event} ${code} ${delivery}`));
  return {
    ...({ client, room, link, heard, errors, statuses, undelivered, lost } as Omit<Guest, 'signal'>),
    signal: (signal) => {
      for (const listener of [...listeners]) listener(signal);
    },
  };
}
