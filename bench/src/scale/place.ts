import { type HoldfastServer, json, type ServerSession } from '@holdfast/server';
import { createServerOn, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { Peer } from './peer.js';

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await undefined;
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
/** Time stands still: nobody is to be taken for dead, or told to wait. */
const NEVER_MS = 1e12;

/** A server in this process, on which time stands still, and peers. */
export class Place {
  readonly clock = new VirtualClock();
  readonly server: HoldfastServer;
  /** By id. */
  readonly sessions = new Map<string, ServerSession>();
  /** Those that are there beside whom is measured, or are what is measured. */
  readonly crowd: Peer[] = [];
  readonly #dial: () => Peer;

  constructor() {
    const codec = json();
    const ports = { clock: this.clock, random: seededRandom(1), digest: systemDigest, logger: silent };
    const { server, accept } = createServerOn(ports, {
      logger: silent,
      heartbeat: { intervalMs: NEVER_MS },
      limits: { messagesPerSecond: Infinity, acceptPerSecond: Infinity },
    });
    server.on('note', () => undefined);
    server.on('held', () => new Promise(() => undefined));
    server.handle('echo', (input) => input);
    server.rooms('room:*', { join: true, publish: true });
    server.rooms('people:*', { join: true, publish: true, presence: true });
    server.onSession((session) => void this.sessions.set(session.id, session));
    server.onSessionEnd(({ id }) => void this.sessions.delete(id));
    this.server = server;
    let nonces = 0;
    this.#dial = () => new Peer(accept, codec, `nonce-${++nonces}`);
  }

  /** A new one, connected and in these rooms. */
  async peer(...rooms: readonly string[]): Promise<Peer> {
    const peer = this.#dial();
    peer.dial();
    await settle();
    for (const room of rooms) {
      peer.say([3, '$join', { room }]);
      await settle();
    }
    return peer;
  }

  session(peer: Peer): ServerSession {
    const session = this.sessions.get(peer.id);
    if (!session) throw new Error(`no session ${peer.id}`);
    return session;
  }
}
