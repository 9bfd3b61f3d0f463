import type { ClientOptions, HoldfastClient } from '@holdfast/client';
import type { LiteClient, LiteOptions } from '@holdfast/client/lite';
import {
  type ClientPorts,
  createClientOn,
  createLiteClientOn,
  type Signal,
  type TransportEvents,
} from '@holdfast/client/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, onTestFinished } from 'vitest';
import { silent } from './people.js';

type Item = readonly unknown[];
const [HELLO, WELCOME, PING, PONG, AUTH, GOAWAY, BYE] = [0, 1, 7, 8, 10, 11, 13];
const LATENCY_MS = 5;

/** One connection as a server sees it, whose lines a test speaks. */
export class Call {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly at: number;
  /** All that the client has said, without its pings and pongs. */
  readonly heard: Item[] = [];
  /** Nothing more comes from the server, and nobody is told. */
  isDead = false;
  /** How the client hung up. */
  hungUp: number | undefined;
  readonly #clock: VirtualClock;
  readonly #events: TransportEvents;

  constructor(clock: VirtualClock, url: string, protocols: readonly string[], events: TransportEvents) {
    this.#clock = clock;
    this.#events = events;
    this.url = url;
    this.protocols = protocols;
    this.at = clock.now();
  }

  get hello(): { readonly a?: string; readonly s?: string; readonly n: number } | undefined {
    const item = this.heard.find(([type]) => type === HELLO);
    return item?.[1] as Call['hello'];
  }

  /** Tokens that came in band. */
  get tokens(): unknown[] {
    return this.heard.filter(([type]) => type === AUTH).map(([, token]) => token);
  }

  open(): void {
    this.#later(() => this.#events.open('holdfast.v1.json'));
  }

  say(...items: Item[]): void {
    this.#later(() => this.#events.message(JSON.stringify([0, 0, ...items])));
  }

  /** Items that have a number, the first of them `seq`. */
  sayFrom(seq: number, ...items: Item[]): void {
    this.#later(() => this.#events.message(JSON.stringify([0, seq, ...items])));
  }

  /** Has taken all that the client has numbered up to this. */
  acknowledge(seq: number): void {
    this.#later(() => this.#events.message(JSON.stringify([seq, 0])));
  }

  /** Something that may be no frame. */
  sayRaw(data: string): void {
    this.#later(() => this.#events.message(data));
  }

  /** Lets the client in: into its session, if it has one. */
  welcome(more: object = {}): void {
    const q = this.hello?.s === undefined ? 0 : 1;
    const bounds = { h: 20_000, w: [1_000, 1_048_576], m: 1_048_576, o: 100, ttl: 120_000, d: 'memory' };
    this.say([
      WELCOME,
      { v: 1, s: 's', q, u: 'u', k: `k${this.hello?.n}`, e: 'e', x: 0, took: 0, ...bounds, ...more },
    ]);
  }

  accept(expiresInMs?: number): void {
    this.say(expiresInMs === undefined ? [AUTH] : [AUTH, expiresInMs]);
  }

  goaway(afterMs: number): void {
    this.say([GOAWAY, 'drain', afterMs]);
  }

  /** As a server does whose patience with an old token is over. */
  expire(): void {
    this.say([BYE, 'ERR_AUTH_EXPIRED', 'expired']);
    this.end(3000, 'expired');
  }

  end(code: number, reason = ''): void {
    this.#later(() => this.#events.close({ code, reason }));
  }

  /** What comes from the client. */
  take(data: unknown): void {
    for (const item of (JSON.parse(String(data)) as unknown[]).slice(2) as Item[]) {
      if (item[0] === PING) this.say([PONG]);
      else if (item[0] !== PONG) this.heard.push(item);
    }
  }

  #later(run: () => void): void {
    this.#clock.setTimer(() => {
      if (this.hungUp === undefined && !this.isDead) run();
    }, LATENCY_MS);
  }
}

export interface Play<Client = HoldfastClient> {
  readonly clock: VirtualClock;
  readonly client: Client;
  readonly calls: Call[];
  /** Codes of errors told to `onError`. */
  readonly errors: string[];
  /** Every status that the client went through. */
  readonly statuses: string[];
  signal(signal: Signal): void;
  /** The device sleeps: for the client it is later by so much, and its timers have not fired. */
  sleep(ms: number): void;
}

/**
 * A client and a server that is played by the test: `onHello` is called for each first frame, `onFrame` for each after
 * it; without them the client is let in, and pings are answered.
 */
export function play(options: Partial<ClientOptions> = {}, onHello?: OnCall, onFrame?: OnCall): Play {
  return playOn((ports) => createClientOn(ports, { url: 'ws://played', ...options }), onHello, onFrame);
}

/** The same with a small client. */
export function playLite(
  options: Partial<LiteOptions> = {},
  onHello?: OnCall,
  onFrame?: OnCall,
): Play<LiteClient> {
  return playOn((ports) => createLiteClientOn(ports, { url: 'ws://played', ...options }), onHello, onFrame);
}

type OnCall = (call: Call, n: number) => void;

function playOn<Client extends LiteClient | HoldfastClient>(
  create: (ports: ClientPorts) => Client,
  onHello: OnCall = (call) => call.welcome(),
  onFrame: OnCall = () => undefined,
): Play<Client> {
  const clock = new VirtualClock();
  const calls: Call[] = [];
  const listeners = new Set<(signal: Signal) => void>();
  const dialer = {
    dial(url: string, protocols: readonly string[], events: TransportEvents) {
      const call = new Call(clock, url, protocols, events);
      const n = calls.push(call);
      call.open();
      return {
        send(data: unknown) {
          const isFirst = call.heard.length === 0;
          call.take(data);
          if (isFirst) onHello(call, n);
          else onFrame(call, n);
        },
        close: (code: number) => {
          call.hungUp = code;
        },
        bufferedBytes: 0,
      };
    },
  };
  const signals = {
    listen(listener: (signal: Signal) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  let slept = 0;
  const clientClock = { ...bound(clock), now: () => clock.now() + slept };
  const ports = { clock: clientClock, random: seededRandom(1), dialer, signals, logger: silent };
  const client = create(ports);
  const errors: string[] = [];
  client.onError(({ code }) => errors.push(code));
  const statuses: string[] = [];
  client.onState(({ status }) => statuses.push(status));
  onTestFinished(async () => {
    await client.close();
    await clock.advance(LATENCY_MS);
    expect(clock.timers, 'timers left when all is closed').toBe(0);
    expect(listeners.size, 'listeners left on the page').toBe(0);
  });
  return {
    ...{ clock, client, calls, errors, statuses },
    signal: (signal) => {
      for (const listener of [...listeners]) listener(signal);
    },
    sleep: (ms) => {
      slept += ms;
    },
  };
}

const bound = (clock: VirtualClock) => ({
  setTimer: (run: () => void, delayMs: number) => clock.setTimer(run, delayMs),
  defer: (run: () => void) => clock.defer(run),
});
