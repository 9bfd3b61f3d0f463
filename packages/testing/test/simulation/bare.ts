import { json } from '@holdfast/protocol';
import type { HoldfastServer, ServerOptions } from '@holdfast/server';
import { createServerOn, type SessionStore, systemDigest } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, onTestFinished } from 'vitest';
import { silent } from './people.js';

type Item = readonly unknown[];

/** One end of a connection that says what it likes, and keeps what it hears. */
export interface Peer {
  readonly heard: Item[];
  /** How many frames that were. */
  frames: number;
  /** Code and reason, once the server has closed it. */
  closed: string | undefined;
  /** What its socket holds, for a peer that does not read. */
  bufferedBytes: number;
  /** One frame of unnumbered items. */
  say(...items: Item[]): void;
  frame(frame: unknown): void;
  hello(fields?: object): void;
  /** It has read what its socket held. */
  reads(): void;
  /** It hangs up itself. */
  leave(): void;
}

export interface Bare {
  readonly clock: VirtualClock;
  readonly server: HoldfastServer;
  /** What was told to `onError`. */
  readonly errors: unknown[];
  /** What all its peers heard, in order: `name type` and `name closed code`. */
  readonly story: string[];
  dial(name?: string, token?: string): Peer;
}

/**
 * A server in virtual time, alone or beside others that share a store, and peers that speak to it without a client.
 * Nothing may be left ticking at the end.
 */
export function bareServer(
  options: ServerOptions = {},
  { shared, seed = 1 }: { shared?: { clock: VirtualClock; store: SessionStore }; seed?: number } = {},
): Bare {
  const { clock = new VirtualClock(), store } = shared ?? {};
  const ports = { clock, random: seededRandom(seed), digest: systemDigest, logger: silent, store };
  const { server, accept } = createServerOn(ports, options);
  const [errors, story]: [unknown[], string[]] = [[], []];
  server.onError((error) => errors.push(error));
  server.handle('echo', (input) => input);
  server.rooms('*', { join: true, publish: true, presence: true });
  onTestFinished(async () => {
    await clock.until(server.close());
    await clock.advance(100);
    // Others on the same clock may not have ended yet.
    if (!shared) expect(clock.timers, 'timers left when all is closed').toBe(0);
  });
  let nonces = 0;
  return {
    clock,
    server,
    errors,
    story,
    dial(name = 'peer', token) {
      const codec = json();
      const heard: Item[] = [];
      const transport = {
        send(data: string | Uint8Array) {
          if (peer.closed !== undefined) return;
          peer.frames++;
          const items = (JSON.parse(String(data)) as unknown[][]).slice(2);
          heard.push(...items);
          for (const [type] of items) story.push(`${name} ${type}`);
        },
        close(code: number, reason: string) {
          peer.closed ??= `${code} ${reason}`;
          story.push(`${name} closed ${code}`);
        },
        get bufferedBytes() {
          return peer.bufferedBytes;
        },
      };
      const peer: Peer = {
        heard,
        frames: 0,
        closed: undefined,
        bufferedBytes: 0,
        say: (...items) => peer.frame([0, 0, ...items]),
        frame: (frame) => events.message(JSON.stringify(frame)),
        hello: (fields = {}) =>
          peer.say([0, { v: 1, c: `nonce-${seed}-${++nonces}`, n: 1, w: [1_000, 1_048_576], ...fields }]),
        reads() {
          peer.bufferedBytes = 0;
          events.drain?.();
        },
        leave() {
          peer.closed ??= 'left';
          events.close({ code: 1000, reason: '' });
        },
      };
      const events = accept(transport, codec, { address: name }, token);
      return peer;
    },
  };
}

export interface Told {
  readonly s: string;
  readonly q: number;
  readonly k: string;
  readonly e: string;
  readonly exp?: number;
  readonly r?: number;
}

/** What the WELCOME of a peer holds. */
export function welcomeOf({ heard }: Peer): Told {
  const item = heard.find(([type]) => type === 1);
  if (!item) throw new Error(`no WELCOME in ${JSON.stringify(heard)}`);
  return item[1] as Told;
}

/** How the next HELLO proves the session. */
export const backTo = (peer: Peer, n: number, fields: object = {}): object => {
  const { s, k, e } = welcomeOf(peer);
  return { s, k, e, x: 0, y: 0, n, ...fields };
};

/** Items of one type. */
export const itemsOf = ({ heard }: Peer, type: number): Item[] => heard.filter(([one]) => one === type);
