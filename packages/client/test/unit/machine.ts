import { type HoldfastError, holdfastError } from '@holdfast/protocol';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionSettings,
  deadlineOf,
  initialConnection,
  type Surroundings,
  stateOf,
  step,
} from '../../src/core/connection.js';

export const NOW = 100_000;
export const lost = holdfastError('ERR_CONNECTION_LOST', 'lost');
export const expired = holdfastError('ERR_AUTH_EXPIRED', 'expired');
export const takenOver = holdfastError('ERR_SUPERSEDED', 'taken over');
export const busy = (retryAfterMs: number) => holdfastError('ERR_SERVER_BUSY', 'busy', { retryAfterMs });
export const broken = holdfastError('ERR_PROTOCOL', 'broken');

type Reconnect = ConnectionSettings['reconnect'];

/** A connection with what is around it, to be driven by hand. */
export class Machine {
  connection: Connection = initialConnection;
  effects: readonly ConnectionEffect[] = [];
  readonly around: { -readonly [K in keyof Surroundings]: Surroundings[K] };

  constructor(reconnect: Partial<Reconnect> = {}) {
    const defaults = { baseMs: 500, capMs: 30_000, minUptimeMs: 5_000 };
    const limits = { maxAttempts: Infinity, maxElapsedMs: Infinity };
    this.around = {
      now: NOW,
      fraction: 0.5,
      awaitingSince: undefined,
      isOffline: false,
      canRenewToken: false,
      reconnect: { ...defaults, ...limits, ...reconnect },
      heartbeat: { intervalMs: 0, timeoutMs: 5_000, maxMissed: 1 },
    };
  }

  tell(...events: ConnectionEvent[]): this {
    for (const event of events) {
      const next = step(this.connection, event, this.around);
      this.connection = next.connection;
      this.effects = next.effects;
    }
    return this;
  }

  /** As told by the newest dial. */
  dial(type: 'prepared' | 'opened' | 'relieved'): this {
    return this.tell({ type, dial: this.connection.dial });
  }

  connect(): this {
    return this.tell({ type: 'connect', anew: false });
  }

  welcome(spreadMs = 0): this {
    const welcome = { sessionId: 's', userId: 'u', heartbeatMs: 20_000, spreadMs, recovered: false };
    return this.tell({ type: 'welcomed', dial: this.connection.dial, welcome });
  }

  /** Up, after as many events as it takes, all in this moment. */
  up(spreadMs = 0): this {
    return this.connect().dial('prepared').dial('opened').welcome(spreadMs).pong();
  }

  pong(): this {
    return this.tell({ type: 'pong-came', dial: this.socket });
  }

  /** Of the dial that stands or, without one, of the newest. */
  get socket(): number {
    return this.connection.status === 'connected' ? this.connection.socket : this.connection.dial;
  }

  fail(error: HoldfastError = lost, endCode?: number): this {
    return this.tell({ type: 'failed', dial: this.socket, error, endCode });
  }

  /** The same, of the connection that is to follow. */
  failSuccessor(error: HoldfastError = lost): this {
    return this.tell({ type: 'failed', dial: this.connection.dial, error });
  }

  after(ms: number): this {
    this.around.now += ms;
    return this;
  }

  tick(): this {
    return this.tell({ type: 'tick' });
  }

  /** Lets time run to the next deadline, and tells. */
  ring(): this {
    this.around.now = this.deadline ?? this.around.now;
    return this.tick();
  }

  get deadline(): number | undefined {
    return deadlineOf(this.connection, this.around.awaitingSince);
  }

  /** From now to the next attempt. */
  get wait(): number {
    if (this.connection.status !== 'waiting') throw new Error(`does not wait: ${this.connection.status}`);
    return this.connection.retryAt - this.around.now;
  }

  get shown() {
    return stateOf(this.connection);
  }

  get does(): string {
    return this.effects.map((effect) => effect.do).join(' ');
  }
}
