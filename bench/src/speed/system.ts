/** What is said: some words and a filling, the same for every system. */
export interface Payload {
  readonly n: number;
  readonly text: string;
}

/** One end of a connection, as the load uses it. */
export interface End {
  /** One way; as the system is meant to be used for messages that must arrive, where it knows the difference. */
  send(payload: Payload): void;
}

export interface ClientEnd extends End {
  /** Resolves with what the other end answers. */
  request(payload: Payload): Promise<unknown>;
  /** One way; resolves when the other end is known to have it. Where nothing else tells that, an answer does. */
  acknowledged(payload: Payload): Promise<unknown>;
}

export interface ServerEnd {
  readonly port: number;
  /** To every client that has been dialled with `subscribed`. */
  publish(payload: Payload): void;
}

/** What is measured of a system. `recovery`: coming back by itself when its connection was cut. */
export type Ability = 'request' | 'receipts' | 'up' | 'down' | 'fan-out' | 'connect' | 'recovery';

/** Something to be measured: a server and a client, with whatever they do by themselves. */
export interface System {
  readonly key: string;
  /** Whose versions stand in the table. */
  readonly packages: readonly string[];
  readonly how: string;
  /** What it has nothing for, and why: that cell stays empty. */
  readonly cannot?: Readonly<Partial<Record<Ability, string>>>;
  /** What a page imports to be its client, as source of a module; absent: nothing, a browser has it. */
  readonly page?: () => string;
  /** `hear` is told what comes one way, and from whom. What is asked is answered with itself. */
  serve(hear: (payload: Payload, from: End) => void): Promise<ServerEnd>;
  /** Resolves once it is connected and, if asked for, subscribed. */
  dial(port: number, hear: (payload: Payload) => void, subscribed: boolean): Promise<ClientEnd>;
}

export const HOST = '127.0.0.1';

/** The same for everybody, who comes back sooner would lose less; and how long an attempt to connect may take. */
export const RECONNECT = { minMs: 10, maxMs: 100, dialMs: 2_000 } as const;
