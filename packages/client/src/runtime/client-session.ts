import {
  type ContractVersions,
  type Frame,
  FrameError,
  type HoldfastError,
  holdfastError,
  MAX_OPEN_REQUESTS,
  PROTOCOL_VERSION,
  Type,
  Verdict,
  versionsFit,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import type { ConnectionEvent } from '../core/connection.js';
import type { ClientPorts } from '../ports/ports.js';
import type { Dispatcher } from './dispatcher.js';
import type { Exchange, Remains } from './exchange.js';
import { WINDOW } from './limits.js';
import type { Lines } from './lines.js';
import type { Rooms } from './rooms.js';
import type { ClientSettings } from './settings.js';
import type { Tokens } from './tokens.js';

/** The client whose session it is. */
export interface SessionSurroundings {
  readonly ports: Pick<ClientPorts, 'clock' | 'random'>;
  readonly settings: Pick<ClientSettings, 'tokenIn'>;
  readonly lines: Lines;
  readonly exchange: Exchange;
  readonly rooms: Rooms;
  readonly dispatcher: Dispatcher;
  readonly tokens: Tokens;
  step(event: ConnectionEvent): void;
  wake(): void;
}

interface Standing {
  /** What the next HELLO proves it by. */
  readonly proof: { readonly s: string; readonly k: string; readonly e: string };
  readonly userId: string;
  /** The token by which that was. */
  readonly auth: string | undefined;
}

/** Which session this client has: the first frames of a connection, HELLO and WELCOME, and what becomes of it by them. */
export class ClientSession {
  readonly #client: SessionSurroundings;
  /** Of the contract. */
  readonly #versions: ContractVersions | undefined;
  #standing: Standing | undefined;
  /** Names the session to be made; another one for each. */
  #nonce: string | undefined;
  /** Who was here last, by which token. */
  #before: Standing | undefined;
  /** What the newest HELLO has said to be received; an older connection may have brought more since. */
  #told = 0;
  #helloAt = 0;

  constructor(client: SessionSurroundings, versions: ContractVersions | undefined) {
    this.#client = client;
    this.#versions = versions;
  }

  hello(dial: number): void {
    const { exchange, lines, ports, settings } = this.#client;
    // The other token has come with the upgrade.
    const token = settings.tokenIn === 'hello' ? lines.get(dial)?.token : undefined;
    const { received, acked } = exchange.position;
    this.#told = received;
    this.#nonce ??= ports.random.id();
    const hello = {
      ...{ v: PROTOCOL_VERSION, w: WINDOW, q: MAX_OPEN_REQUESTS, cv: this.#versions },
      ...{ c: this.#nonce, n: dial, a: token },
      ...(this.#standing && { ...this.#standing.proof, x: received, y: acked }),
    };
    this.#helloAt = ports.clock.now();
    lines.sendAlone(dial, [Type.HELLO, hello]);
  }

  /** Takes the answer to a HELLO. Throws a `FrameError` if it is none. */
  welcome(dial: number, { items: [item, ...more] }: Frame): void {
    if (item?.[0] !== Type.WELCOME || more.length > 0) {
      throw new FrameError('the first frame must hold a WELCOME, alone, or a BYE');
    }
    const welcome = item[1];
    const { rooms, lines } = this.#client;
    const error = this.#misfit(welcome);
    if (error) return this.#client.step({ type: 'failed', dial, error });
    // A connection that still stands, and from which this one is moving away, may go now.
    this.#client.step({ type: 'relieved', dial });
    const asked = this.#standing?.proof.s;
    if (welcome.q === Verdict.RESUMED && welcome.s === asked) {
      const missing = this.#missing(welcome);
      this.#stand(dial, welcome, true);
      // Where we stand in the rooms, what the server lacks, and then everything else.
      lines.sendAlone(dial, [Type.SYNC, rooms.positions]);
      lines.send(dial, missing);
    } else {
      if (asked === undefined && welcome.q !== Verdict.NEW) {
        throw new FrameError('a verdict on a session that nobody asked for');
      }
      this.lose(welcome);
      if (welcome.q === Verdict.LOST) return this.hello(dial);
      this.#stand(dial, welcome, false);
      rooms.begin();
    }
    this.#client.wake();
  }

  /** Told before anything of a new session is sent or delivered. */
  lose(remains: Remains): void {
    if (!this.#standing) return;
    const { exchange, rooms, dispatcher } = this.#client;
    const { s } = this.#standing.proof;
    this.#standing = undefined;
    this.#nonce = undefined;
    const lost = exchange.lose(s, remains);
    rooms.detached(s);
    dispatcher.sessionLost(lost);
  }

  #misfit({ v, cv }: Welcome): HoldfastError | undefined {
    const differ = (what: string, theirs: number, ours = 0): string =>
      `the server has version ${theirs} of the ${what}, this client version ${ours}`;
    if (v !== PROTOCOL_VERSION) {
      return holdfastError('ERR_PROTOCOL_VERSION', differ('protocol', v, PROTOCOL_VERSION));
    }
    const ours = this.#versions;
    if (versionsFit(ours, cv)) return undefined;
    const [serverVersion] = cv ?? [0];
    const text = differ('contract', serverVersion, ours?.[0]);
    return holdfastError('ERR_CONTRACT_VERSION', text, { serverVersion });
  }

  /** The session goes on: what the server lacks of it. */
  #missing({ x = 0 }: Welcome): WireData[] {
    const { exchange, ports } = this.#client;
    try {
      return exchange.resume(x, ports.clock.now(), this.#told);
    } catch (error) {
      // The server has lost what it had acknowledged, whatever it says.
      this.lose({});
      throw error;
    }
  }

  /** The server has let us in. */
  #stand(dial: number, welcome: Welcome, recovered: boolean): void {
    const { exchange, rooms, tokens, lines, ports } = this.#client;
    const { s, k, e, u: userId, h: heartbeatMs, r: spreadMs = 0, exp, took = 0 } = welcome;
    const now = ports.clock.now();
    if (k === undefined || e === undefined) throw new FrameError('a WELCOME without a key or an epoch');
    const auth = lines.get(dial)?.token;
    const before = this.#before;
    this.#standing = { proof: { s, k, e }, userId, auth };
    this.#before = this.#standing;
    this.#nonce = undefined;
    // A guest has another id in each session; but who logs in as somebody else must not speak for who was here before.
    if (before && before.auth !== auth && before.userId !== userId) {
      exchange.disown(before.userId);
      rooms.disown();
    }
    exchange.begin(welcome, now);
    tokens.accepted(exp);
    const rttMs = now - this.#helloAt - took;
    const welcomed = { sessionId: s, userId, heartbeatMs, spreadMs, recovered, rttMs };
    this.#client.step({ type: 'welcomed', dial, welcome: welcomed });
  }
}
