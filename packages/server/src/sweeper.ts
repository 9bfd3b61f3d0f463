import { Alarm, type Clock } from '@holdfast/protocol';
import { after, unawaited } from './answer.js';
import type { Answer, Orphan, SessionStore } from './ports/store.js';
import type { Session } from './session.js';

export interface SweeperSurroundings {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly sessionTtlMs: number;
  /** The sessions of this server that live. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Makes what stands for a session here, to run what nobody else does. */
  make(orphan: Orphan): Session;
  /** Sessions without a connection here may have ended unheard of. */
  lookOut(): void;
  /** Its client has not come back. */
  expire(sid: string): void;
  failed(error: unknown): void;
}

/**
 * Sees to what nobody comes for: ends sessions whose client has stayed away, and runs what sessions have left to be
 * handled. It looks as long as there is anything to look after, here or in the store.
 */
export class Sweeper {
  readonly #around: SweeperSurroundings;
  readonly #alarm: Alarm;
  /** Sessions that have ended while something of theirs is still to be handled here. */
  readonly #retired = new Map<string, Session>();
  #stage: 'open' | 'stopped' = 'open';

  constructor(around: SweeperSurroundings) {
    this.#around = around;
    this.#alarm = new Alarm(around.clock, () => this.#sweep());
  }

  /** True while handlers of sessions that have ended run. */
  get busy(): boolean {
    return [...this.#retired.values()].some((session) => session.busy);
  }

  /** There is something to look after. */
  later(): void {
    if (this.#stage === 'stopped') return;
    this.#alarm.set(this.#around.clock.now() + Math.max(100, this.#around.sessionTtlMs / 4));
  }

  /** Nobody is here: only what the store holds may have to be looked after. */
  look(): void {
    if (this.#stage === 'stopped') return;
    const { store, sessions } = this.#around;
    this.#ask(store.orphans({ idleMs: 0 }), ({ length }) => {
      if (length > 0) this.later();
      else if (sessions.size === 0) this.#alarm.set(Infinity);
    });
  }

  /** A session has ended; what it had accepted is still handled. */
  retire(session: Session): void {
    if (session.busy) this.#retired.set(session.id, session);
    else session.stop();
  }

  /** It goes on at another server: what it had accepted, and is not begun here, is handled there. */
  leave(session: Session): void {
    session.runner.leave();
    this.retire(session);
  }

  /** This server goes away. */
  stop(): void {
    this.#stage = 'stopped';
    this.#alarm.set(Infinity);
    for (const session of this.#retired.values()) session.stop();
  }

  #sweep(): void {
    const { store, sessions, sessionTtlMs } = this.#around;
    for (const session of sessions.values()) session.sweep(sessionTtlMs);
    for (const [sid, session] of this.#retired) {
      if (session.busy) continue;
      session.stop();
      this.#retired.delete(sid);
    }
    this.#ask(store.orphans({ idleMs: sessionTtlMs }), (orphans) => {
      for (const orphan of orphans) this.#adopt(orphan);
      this.#around.lookOut();
      if (sessions.size + this.#retired.size > 0) this.later();
      else this.look();
    });
  }

  #adopt(orphan: Orphan): void {
    const { sid, unhandled, ended } = orphan;
    if (unhandled > 0) {
      // One runner for each session: two would take each other's claims for their own.
      const known = this.#around.sessions.get(sid) ?? this.#retired.get(sid);
      const session = known ?? this.#around.make(orphan);
      if (ended && !known) {
        session.end();
        this.#retired.set(sid, session);
      }
      session.runner.wake();
    }
    if (!ended) this.#around.expire(sid);
  }

  #ask(orphans: Answer<readonly Orphan[]>, next: (orphans: readonly Orphan[]) => void): void {
    unawaited(after(orphans, next), this.#around);
  }
}
