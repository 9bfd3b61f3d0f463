import type { Codec, HoldfastClient } from '@holdfast/client';
import { createClientOn, type Dialer, type Transport, type WireData } from '@holdfast/client/ports';
import type { HoldfastServer, ServerSession } from '@holdfast/server';
import { createServerOn, MemoryStore, type SessionStore, systemDigest } from '@holdfast/server/ports';
import { MemoryNetwork, seededRandom, VirtualClock } from '@holdfast/testing';
import { onTestFinished } from 'vitest';
import { counting } from './counting.js';
import { silent } from './people.js';

/** What went one way. */
interface Traffic {
  frames: number;
  /** Of these, those that hold nothing but an ack. */
  acks: number;
  bytes: number;
}

/** The real client and the real server, in virtual time and memory, on ports that count. */
export interface CountedBed {
  readonly server: HoldfastServer;
  readonly sessions: ServerSession[];
  /** Not connected yet. */
  create(): HoldfastClient;
  /** Connected, and in these rooms. */
  client(...rooms: readonly string[]): Promise<HoldfastClient>;
  /** Time passes. */
  sleep(ms: number): Promise<void>;
  /**
   * What it takes, with what follows in the next seconds: frames (of these, bare acks) and bytes up, and down; timers set +
   * microtasks asked for at the clients, and at the server; calls of the server's store. `run` does not move the clock itself.
   */
  count(run: () => unknown): Promise<readonly string[]>;
}

const LATENCY_MS = 5;
const AFTERWARDS_MS = 5_000;

export function countedBed(codec: () => Codec): CountedBed {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const [ofClient, ofServer] = [counting(clock), counting(clock)];
  const store = counting<SessionStore>(new MemoryStore({ clock, random }));
  const [up, down]: [Traffic, Traffic] = [noTraffic(), noTraffic()];
  const ports = { clock: ofServer.port, random, digest: systemDigest, logger: silent, store: store.port };
  const { server, accept } = createServerOn(ports, { codecs: [codec()] });
  const sessions: ServerSession[] = [];
  server.onSession((session) => sessions.push(session));
  server.on('note', () => undefined);
  server.handle('echo', (input) => input);
  server.rooms('*', { join: true, publish: true });
  const network = new MemoryNetwork(clock, LATENCY_MS);
  network.listener = {
    connect: ([protocol = '']) => ({
      protocol,
      serve: (transport) => accept(counted(transport, down, codec()), codec(), { address: '' }),
    }),
  };
  const clients: HoldfastClient[] = [];
  onTestFinished(async () => {
    await clock.until(Promise.all(clients.map((client) => client.close())));
    await clock.until(server.close());
  });
  const create = (): HoldfastClient => {
    const link = network.link(`client-${clients.length}`);
    const dialer: Dialer = { dial: (...call) => counted(link.dial(...call), up, codec()) };
    const signals = { listen: () => () => undefined };
    const clientPorts = { clock: ofClient.port, random, dialer, signals, logger: silent };
    const made = createClientOn(clientPorts, { url: 'ws://counted/', codec: codec() });
    clients.push(made);
    return made;
  };
  return {
    server,
    sessions,
    create,
    async client(...rooms) {
      const made = create();
      await clock.until(made.connect());
      for (const room of rooms) await clock.until(made.room(room).join());
      await clock.advance(AFTERWARDS_MS);
      return made;
    },
    sleep: (ms) => new Promise((resolve) => clock.setTimer(resolve, ms)),
    async count(run) {
      for (const { calls } of [ofClient, ofServer, store]) calls.clear();
      Object.assign(up, noTraffic());
      Object.assign(down, noTraffic());
      await clock.until(Promise.resolve(run()), Infinity);
      await clock.advance(AFTERWARDS_MS);
      const of = ({ calls }: { calls: Map<string, number> }, name: string): number => calls.get(name) ?? 0;
      const side = (calls: typeof ofClient): string => `${of(calls, 'setTimer')}+${of(calls, 'defer')}`;
      const asked = [...store.calls].sort().map(([name, times]) => `${name} ${times}`);
      return [...cells(up), ...cells(down), side(ofClient), side(ofServer), asked.join(' ')];
    },
  };
}

const noTraffic = (): Traffic => ({ frames: 0, acks: 0, bytes: 0 });
const cells = ({ frames, acks, bytes }: Traffic): string[] => [`${frames} (${acks})`, String(bytes)];

function counted(transport: Transport, traffic: Traffic, codec: Codec): Transport {
  return {
    send(data: WireData) {
      traffic.frames++;
      traffic.bytes += typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
      if ((codec.decode(data) as unknown[]).length === 2) traffic.acks++;
      transport.send(data);
    },
    close: (code, reason) => transport.close(code, reason),
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
  };
}
