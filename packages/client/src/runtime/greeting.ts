import {
  type Clock,
  type Frame,
  FrameError,
  holdfastError,
  PROTOCOL_VERSION,
  Type,
  Verdict,
  versionsFit,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import type { ConnectionEvent } from '../core/connection.js';
import type { ClientSession } from './client-session.js';
import type { Dispatcher } from './dispatcher.js';
import type { Exchange, Remains } from './exchange.js';
import type { Line } from './lines.js';
import type { Rooms } from './rooms.js';
import type { Tokens } from './tokens.js';

export interface GreetingSurroundings {
  readonly clock: Clock;
  readonly session: ClientSession;
  readonly exchange: Exchange;
  readonly rooms: Rooms;
  readonly dispatcher: Dispatcher;
  readonly tokens: Tokens;
  step(event: ConnectionEvent): void;
  wake(): void;
}

/** The first frames of a connection: HELLO, WELCOME, and what becomes of the session by it. */
export class Greeting {
  readonly #around: GreetingSurroundings;
  /** What the newest HELLO has said to be received; an older connection may have brought more since. */
  #told = 0;

  constructor(around: GreetingSurroundings) {
    this.#around = around;
  }

  hello(dial: number, { socket, token, isTokenSent }: Line): void {
    const { session, exchange } = this.#around;
    const { position } = exchange;
    this.#told = position.received;
    const hello = session.hello(dial, isTokenSent ? undefined : token, position);
    socket.sendAlone([Type.HELLO, hello]);
  }

  /** Takes the answer to a HELLO. Throws a `FrameError` if it is none. */
  welcome(dial: number, line: Line, { items: [item, ...more] }: Frame): void {
    if (item?.[0] !== Type.WELCOME || more.length > 0) {
      throw new FrameError('the first frame must hold a WELCOME, alone, or a BYE');
    }
    const { session, step } = this.#around;
    const welcome = item[1];
    if (welcome.v !== PROTOCOL_VERSION) {
      const text = `the server speaks version ${welcome.v} of the protocol, this client version ${PROTOCOL_VERSION}`;
      return step({ type: 'failed', dial, error: holdfastError('ERR_PROTOCOL_VERSION', text) });
    }
    const { versions } = session;
    if (!versionsFit(versions, welcome.cv)) {
      const [serverVersion] = welcome.cv ?? [0];
      const text = `the server has version ${serverVersion} of the contract, this client version ${versions?.[0]}`;
      return step({
        type: 'failed',
        dial,
        error: holdfastError('ERR_CONTRACT_VERSION', text, { serverVersion }),
      });
    }
    // Where another connection still stands, it has done its work.
    step({ type: 'relieved', dial });
    const { id: asked } = session;
    if (welcome.q === Verdict.RESUMED && welcome.s === asked) return this.#resume(dial, line, welcome);
    if (asked === undefined && welcome.q !== Verdict.NEW) {
      throw new FrameError('a verdict on a session that nobody asked for');
    }
    if (asked !== undefined) this.lose(asked, welcome);
    if (welcome.q === Verdict.LOST) this.hello(dial, line);
    else this.#begin(dial, line, welcome);
  }

  /** Told before anything of the new session is sent or delivered. */
  lose(sessionId: string, remains: Remains): void {
    const { session, exchange, rooms, dispatcher } = this.#around;
    session.lost();
    const lost = exchange.lose(sessionId, remains);
    rooms.detached(sessionId);
    dispatcher.sessionLost(lost);
  }

  #begin(dial: number, { token }: Line, welcome: Welcome): void {
    const { session, exchange, rooms, wake } = this.#around;
    const replaced = session.stands(welcome, token);
    if (replaced !== undefined) {
      exchange.disown(replaced);
      rooms.disown();
    }
    this.#stand(dial, welcome, false);
    rooms.begin();
    wake();
  }

  /** The session goes on: where we stand in the rooms, what the server lacks, and then everything else. */
  #resume(dial: number, { token, socket }: Line, welcome: Welcome): void {
    const { session, exchange, rooms, clock, wake } = this.#around;
    let missing: WireData[];
    try {
      missing = exchange.resume(welcome.x ?? 0, clock.now(), this.#told);
    } catch (error) {
      // The server has lost what it had acknowledged, whatever it says.
      this.lose(welcome.s, {});
      throw error;
    }
    session.stands(welcome, token);
    socket.sendAlone([Type.SYNC, rooms.positions]);
    socket.send(missing);
    this.#stand(dial, welcome, true);
    wake();
  }

  #stand(dial: number, welcome: Welcome, recovered: boolean): void {
    const { exchange, tokens, clock, step } = this.#around;
    const { s: sessionId, u: userId, h: heartbeatMs, r: spreadMs = 0, exp } = welcome;
    exchange.begin(welcome, clock.now());
    tokens.accepted(exp);
    step({ type: 'welcomed', dial, welcome: { sessionId, userId, heartbeatMs, spreadMs, recovered } });
  }
}
