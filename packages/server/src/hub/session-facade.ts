import {
  type Clock,
  checkName,
  encodePayload,
  type MessageOptions,
  prefixOf,
  type Random,
  type Receipt,
  type Scope,
  Type,
} from '@holdfast/protocol';
import type { Question } from '../asking.js';
import type { Answer } from '../ports/store.js';
import type { Session } from '../session.js';
import type { RetryingStore } from '../store/retrying-store.js';
import type { ServerSendOptions, ServerSession, SessionData, User } from '../types.js';
import type { Hub } from './hub.js';
import { askClient, sendEvent, type Treatment } from './outgoing.js';

export interface SessionFacadeSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: Scope;
  readonly hub: Pick<Hub, 'move'>;
  readonly store: Pick<RetryingStore, 'backlog'>;
  /** Ends a session for good. */
  end(sid: string, reason: string): Answer<void>;
}

/** What handlers are given of a session, as their scope sees it. */
export const sessionFacade = (session: Session, around: SessionFacadeSurroundings): ServerSession =>
  Object.freeze(new SessionFacade(session, around));

/** A class: each object literal with getters gets a hidden class of its own, which was a third of the memory of a connection. */
class SessionFacade implements ServerSession {
  readonly id: string;
  readonly #session: Session;
  readonly #around: SessionFacadeSurroundings;

  constructor(session: Session, around: SessionFacadeSurroundings) {
    this.id = session.id;
    this.#session = session;
    this.#around = around;
  }

  get user(): User {
    return this.#session.user;
  }

  get data(): Readonly<Partial<SessionData>> {
    return this.#session.data.current;
  }

  get rooms(): ReadonlySet<string> {
    return this.#session.joined.in(this.#around.scope.prefix);
  }

  get address(): string {
    return this.#session.address;
  }

  // Functions of its own, not methods: an application may take them apart from it.

  readonly setData: ServerSession['setData'] = (changes) => this.#session.data.set(changes);

  readonly send: ServerSession['send'] = (event: string, ...more: unknown[]) => {
    const [payload, options] = more as [unknown, ServerSendOptions | undefined];
    return sendEvent(this.#around, { event, payload, options }, (treatment) =>
      this.#deliver(payload, treatment),
    );
  };

  readonly request: ServerSession['request'] = (method: string, ...more: unknown[]) => {
    const [input, options] = more as [unknown, MessageOptions | undefined];
    const session = this.#session;
    const ask = (question: Question): Promise<unknown> => {
      const refusal = this.#around.store.backlog.refusal(question.id);
      return refusal ? Promise.reject(refusal) : session.ask(question);
    };
    return askClient({ ...this.#around, codec: session.codec, ask }, { method, input, options });
  };

  readonly join = (...names: readonly string[]): Promise<void> => this.#move(names, 'in');

  readonly leave = (...names: readonly string[]): Promise<void> => this.#move(names, 'out');

  readonly end = (reason = 'ended'): Promise<void> => {
    const ending = async (): Promise<void> => {
      checkName(reason, 'end(reason)');
      await endIn(this.#around, this.id, reason);
    };
    return this.#around.store.backlog.orClosed(ending());
  };

  #move(names: readonly string[], way: 'in' | 'out'): Promise<void> {
    return this.#around.store.backlog.orClosed(move(this.#around, this.id, names, way));
  }

  #deliver(payload: unknown, { id, name, delivery, place, traceparent: c }: Treatment) {
    const session = this.#session;
    const at = Math.floor(this.#around.clock.now());
    // JSON takes about as long for a field that is absent as for one that is there.
    const isPlain = payload !== undefined && c === undefined;
    const meta = isPlain
      ? { i: id, t: at }
      : ({ i: id, t: at, u: payload === undefined ? 1 : undefined, c } as const);
    const data = encodePayload(session.codec, payload, { kind: 'event', name, from: 'server' });
    if (delivery === 'volatile') {
      const { codec } = session;
      const frame = codec.frame(0, 0, [codec.encode([Type.VOL, name, data, meta])]);
      return { id, outcome: session.castFrame(frame) } as const;
    }
    const refusal = this.#around.store.backlog.refusal(id);
    return refusal ? Promise.reject<Receipt>(refusal) : session.send([Type.EVT, name, data, meta], id, place);
  }
}

/** Who moves sessions, and in which scope. */
export type Mover = Pick<SessionFacadeSurroundings, 'scope' | 'hub' | 'end'>;

/** Misuse throws at once; a session that has ended is in no room, and stays so. */
export function move(
  { scope, hub }: Pick<Mover, 'scope' | 'hub'>,
  sid: string,
  rooms: readonly string[],
  way: 'in' | 'out',
): Promise<void> {
  checkMove(scope, rooms, way);
  return Promise.all(rooms.map((room) => hub.move(sid, scope.prefix + room, way))).then(() => undefined);
}

/** Throws a `TypeError` for what cannot name a room. */
export function checkMove({ prefix }: Scope, rooms: readonly string[], way: 'in' | 'out'): void {
  for (const room of rooms) checkName(room, `${way === 'in' ? 'join' : 'leave'}(room)`, prefix);
}

/** For good; in a namespace: takes it out of that, and its other life goes on. */
export function endIn({ scope, hub, end }: Mover, sid: string, reason: string): Answer<unknown> {
  return scope.prefix === '' ? end(sid, reason) : hub.move(sid, scope.prefix, 'out');
}

/** Those of the scope, as it calls them. */
export function roomsIn({ prefix }: Scope, rooms: Iterable<string>): string[] {
  return [...rooms]
    .filter((room) => prefixOf(room) === prefix && room !== prefix)
    .map((room) => room.slice(prefix.length));
}
