import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSocketServer as SocketServer } from 'ws';
import { WebSocketServer } from '../../sockets/ws.js';
import { type Case, DEADLINE_MS, NotAsked, until } from '../case.js';
import { type Frame, type Heard, type Item, json, type Mutation, T, Wire } from '../wire.js';
import { Program, START_MS } from './program.js';

/** A client that can be started: a command that speaks the lines of docs/conformance.md. */
export interface ClientProgram {
  readonly command: string;
  readonly mutate?: () => Mutation;
}

export interface Hello {
  readonly v: number;
  readonly c: string;
  readonly n: number;
  readonly w: readonly number[];
  readonly a?: string;
  readonly s?: string;
  readonly k?: string;
  readonly e?: string;
  readonly x?: number;
  readonly y?: number;
  readonly q?: number;
}

/** A WELCOME that begins a session; fields can be replaced. */
export const welcome = (fields: object = {}): unknown => [
  0,
  0,
  [
    T.WELCOME,
    {
      ...{ v: 1, s: 'session', q: 0, u: 'ada', k: 'key-1', e: 'epoch', x: 0, h: 20_000, ttl: 120_000 },
      ...{ w: [1_000, 1_048_576], m: 1_048_576, o: 100, d: 'memory', ...fields },
    },
  ],
];

/** One case: a server that does what it is told, and the client as a process of its own. */
export class Play extends Program {
  readonly #server: SocketServer;
  readonly wires: Wire[] = [];

  private constructor(server: SocketServer, { command, mutate }: ClientProgram, folder: string | undefined) {
    const file = folder === undefined ? {} : { HOLDFAST_DURABLE: join(folder, 'outbox') };
    super(command, `ws://127.0.0.1:${(server.address() as AddressInfo).port}${server.options.path}`, file);
    this.#server = server;
    server.on('connection', (socket) => this.wires.push(new Wire(socket, json, mutate?.())));
  }

  /** `folder`: where the client keeps what is to outlive it. */
  static async begin(
    program: ClientProgram,
    chooses = 'holdfast.v1.json',
    folder?: string | undefined,
  ): Promise<Play> {
    const chosen = program.mutate?.().chooses ?? chooses;
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      // A port is soon given again: the client of a case that is over may still dial it, and is to find nobody.
      path: `/${randomUUID()}`,
      handleProtocols: (offered) => (offered.has(chosen) ? chosen : false),
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return new Play(server, program, folder);
  }

  async can(ability: string): Promise<void> {
    const ready = await this.was((line) => line.was === 'ready', '{"was":"ready"}', START_MS);
    if (!ready.can?.includes(ability)) throw new NotAsked(`the client does not say that it can "${ability}"`);
  }

  send(data: unknown, more: object = {}): number {
    return this.does({ do: 'send', name: 'note', data, ...more });
  }

  ask(data: unknown): number {
    return this.does({ do: 'request', method: 'ask', data });
  }

  /** Values of all events that the application has heard. */
  get events(): readonly unknown[] {
    return this.values('event');
  }

  get publications(): readonly unknown[] {
    return this.values('publication');
  }

  async hearsEvents(count: number): Promise<void> {
    await this.was(() => this.events.length >= count, `${count} events told to the application`);
  }

  /** The client's dial of this number, from 1, and its HELLO. */
  async dial(
    number: number,
    deadlineMs = number === 1 ? START_MS : DEADLINE_MS,
  ): Promise<{ wire: Wire; hello: Hello }> {
    const wire = await until(
      () => this.wires[number - 1],
      `dial ${number}`,
      () => `${this.wires.length} dials; ${this.told}`,
      deadlineMs,
    );
    return { wire, hello: await helloOn(wire) };
  }

  /** Its first dial, with a session that stands. */
  async session(fields: object = {}): Promise<Wire> {
    const { wire } = await this.dial(1);
    wire.say(welcome(fields));
    return wire;
  }

  /** A later dial, resumed. */
  async resumed(number: number, fields: object = {}): Promise<{ wire: Wire; hello: Hello }> {
    const dialed = await this.dial(number);
    dialed.wire.say(welcome({ q: 1, k: `key-${number}`, ...fields }));
    return dialed;
  }

  override end(): void {
    super.end();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

/** The HELLO of a connection, or of one that has been told that its session is lost. */
export async function helloOn(wire: Wire, from = 0): Promise<Hello> {
  const { item } = await wire.hearsType(T.HELLO, 'a HELLO', from);
  return item[1] as Hello;
}

/** Items with a number, as [number, item]. */
export const numbered = (wire: Wire): readonly Heard[] => wire.heard.filter(({ seq }) => seq > 0);

export const payloads = (wire: Wire): unknown[] => numbered(wire).map(({ item }) => item[2]);

export const isAck = ({ ack }: Frame): boolean => ack > 0;

export const event = (value: unknown): Item => [T.EVT, 'said', value, { i: `i${value}`, t: 1 }];

/** A case with a client of its own; one that `keeps` has a file for it. */
export const play = (
  name: string,
  section: string,
  act: (play: Play) => Promise<void>,
  { chooses, isSlow = false, keeps = false }: { chooses?: string; isSlow?: boolean; keeps?: boolean } = {},
): Case<ClientProgram> => ({
  name,
  section,
  isSlow,
  async run(program) {
    const folder = keeps ? await mkdtemp(join(tmpdir(), 'holdfast-conformance-')) : undefined;
    const scene = await Play.begin(program, chooses, folder);
    try {
      await act(scene);
    } finally {
      scene.end();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  },
});
