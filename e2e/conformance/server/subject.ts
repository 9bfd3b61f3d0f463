import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from '../../sockets/ws.js';
import { check, until } from '../case.js';
import { type Codec, type Item, json, type Mutation, T, Wire } from '../wire.js';

export interface Welcome {
  readonly v: number;
  readonly s: string;
  readonly q: number;
  readonly u: string;
  readonly h: number;
  readonly w: readonly [number, number];
  readonly m: number;
  readonly o: number;
  readonly ttl: number;
  readonly d: string;
  readonly k?: string;
  readonly e?: string;
  readonly x?: number;
  readonly p?: readonly [number, readonly number[]];
  readonly lost?: readonly Item[];
  readonly t?: number;
  readonly dw?: number;
  readonly took?: number;
}

/** A connection that has been answered. */
export interface Visit {
  readonly wire: Wire;
  readonly welcome: Welcome;
}

const WINDOW = [1_000, 1_048_576] as const;

export const helloItem = (fields: object): Item => [
  T.HELLO,
  { v: 1, c: randomUUID(), n: 1, w: WINDOW, ...fields },
];

/** How the next HELLO proves the session of an earlier WELCOME. */
export const backTo = (welcome: Welcome, n: number, more: object = {}): object => ({
  ...{ n, s: welcome.s, k: welcome.k, e: welcome.e, x: 0, y: 0 },
  ...more,
});

/** A name that no other case uses. */
export const unique = (what: string): string => `conformance:${what}-${randomUUID()}`;

/** A server, as its wire is seen. It runs the application of docs/conformance.md. */
export class Server {
  readonly url: string;
  readonly codec: Codec;
  readonly #open = new Set<Wire>();
  readonly #mutate: () => Mutation;

  constructor(url: string, codec: Codec = json, mutate: () => Mutation = () => ({})) {
    this.url = url;
    this.codec = codec;
    this.#mutate = mutate;
  }

  /** A connection that stands, before any HELLO. */
  async dial(protocols: readonly string[] = [this.codec.protocol], codec = this.codec): Promise<Wire> {
    const socket = new WebSocket(this.url, [...protocols]);
    const wire = new Wire(socket, codec, this.#mutate());
    this.#open.add(wire);
    await until(
      () => socket.readyState === WebSocket.OPEN || wire.code !== undefined,
      'the upgrade (section 2)',
      () => 'nothing',
    );
    check(wire.frames.length > 0 || wire.code === undefined, 'the upgrade (section 2)', `close ${wire.code}`);
    return wire;
  }

  /** What becomes of an upgrade: the subprotocol that was chosen, or the status of a refusal. */
  upgrade(protocols: readonly string[], headers: Record<string, string> = {}): Promise<string | number> {
    const { upgraded = (answer) => answer } = this.#mutate();
    return new Promise((settle, reject) => {
      const resolve = (answer: string | number): void => settle(upgraded(answer));
      const socket = new WebSocket(this.url, [...protocols], { headers });
      socket.on('error', reject);
      socket.on('unexpected-response', (_: unknown, response: IncomingMessage) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      socket.on('open', () => {
        resolve(socket.protocol);
        socket.terminate();
      });
    });
  }

  /** A HELLO and its WELCOME, with whatever verdict. */
  async visit(fields: object = {}): Promise<Visit> {
    const wire = await this.dial();
    return { wire, welcome: await this.greet(wire, fields) };
  }

  /** A HELLO on a connection that stands. */
  async greet(wire: Wire, fields: object = {}): Promise<Welcome> {
    const from = wire.frames.length;
    wire.say([0, 0, helloItem(fields)]);
    const { item } = await wire.hears(([type]) => type === T.WELCOME, 'a WELCOME (section 4)', from);
    return item[1] as Welcome;
  }

  /** A new session. */
  async session(fields: object = {}): Promise<Visit> {
    const visit = await this.visit(fields);
    check(visit.welcome.q === 0, 'verdict 0 (section 4)', visit.welcome);
    return visit;
  }

  /** Comes back to a session, and is let in. */
  async back(welcome: Welcome, n: number, more: object = {}): Promise<Visit> {
    const visit = await this.visit(backTo(welcome, n, more));
    check(visit.welcome.q === 1, 'verdict 1 (section 4)', visit.welcome);
    return visit;
  }

  hangUp(): void {
    for (const wire of this.#open) wire.cut();
  }
}

/** The values that events `conformance:note` have brought to a list, asked on a connection of its own. */
export async function noted(server: Server, list: string): Promise<unknown> {
  const { wire } = await server.session();
  wire.say([0, 1, [T.REQ, 'conformance:noted', list]]);
  const { item } = await wire.hearsType(T.RES, 'an answer to conformance:noted');
  wire.cut();
  return item[2];
}

export const note = (list: string, value: unknown): Item => [T.EVT, 'conformance:note', { list, value }];
