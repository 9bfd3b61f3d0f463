import { connect, createServer, type Socket } from 'node:net';
import {
  createTcpProxy,
  type Direction,
  type TcpProxy,
  type TcpProxyOptions,
} from '@holdfast/testing/tcp-proxy';
import { onTestFinished } from 'vitest';
import { eventually, listening } from './peers.js';

/** One end of a connection, and all that it has heard. */
export class End {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  bytes = 0;
  /** How it learned that it is over: `end` or the code of an error. */
  over: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.bytes += chunk.length;
    });
    socket.on('end', () => {
      this.over ??= 'end';
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.over ??= error.code;
    });
    onTestFinished(() => void socket.destroy());
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  hears(text: string): Promise<unknown> {
    return eventually(() => this.text === text, `"${text.slice(0, 40)}" arrives`);
  }
}

export interface Line {
  readonly proxy: TcpProxy;
  /** Dials through the proxy; without waiting, since a bad network may not answer. */
  dial(): End;
  /** The ends at the server, in order. */
  readonly served: readonly End[];
  /** Both ends of a new connection that stands. */
  pair(): Promise<Record<'client' | 'server', End>>;
}

export async function line(options: Partial<TcpProxyOptions> = {}): Promise<Line> {
  const served: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => served.push(new End(socket)));
  const target = await listening(server);
  onTestFinished(() => void server.close());
  const proxy = await createTcpProxy({ target: { port: target }, ...options });
  onTestFinished(() => proxy.close());
  const dial = () => new End(connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true }));
  const pair = async () => {
    const before = served.length;
    const client = dial();
    const server = await eventually(() => served[before] ?? false, 'the server is reached');
    return { client, server };
  };
  return { proxy, dial, served, pair };
}

/** The two ends, named by the direction of what is said. */
export const speakers = (pair: Record<'client' | 'server', End>, direction: Direction) =>
  direction === 'up'
    ? { speaker: pair.client, hearer: pair.server, opposite: 'down' as const }
    : { speaker: pair.server, hearer: pair.client, opposite: 'up' as const };

/** Long enough for what must not happen to have happened, most of the time; what is right passes in any case. */
export const aWhile = () => new Promise((resolve) => setTimeout(resolve, 30));
