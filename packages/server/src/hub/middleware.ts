import {
  type Clock,
  isPromiseLike,
  isRejectError,
  type JoinRequest,
  prefixOf,
  RejectError,
  type Scope,
  type Scopes,
  versionsFit,
} from '@holdfast/protocol';
import { after, rescue } from '../answer.js';
import { MiddlewareChain } from '../middleware-chain.js';
import type { Answer } from '../ports/store.js';
import type { EnteringSession, Handshake, IncomingMessageInfo, ServerSession } from '../types.js';

/** Together with the token, the middleware of all namespaces has to be done before a connection is given up. */
const TIMEOUT_MS = 5_000;

/** Who may enter a scope, and what may be said there. */
interface Middlewares {
  readonly sessions: MiddlewareChain<[EnteringSession, Handshake]>;
  readonly messages: MiddlewareChain<[IncomingMessageInfo, ServerSession]>;
}

export interface MiddlewareSurroundings {
  readonly clock: Clock;
  readonly scopes: Scopes;
  /** Middleware of the application has failed. */
  failed(error: unknown, name: string): void;
}

/** The middleware of the server and of its namespaces. Whoever is in a namespace is a member of its room. */
export class Middleware {
  readonly #around: MiddlewareSurroundings;
  readonly #byScope = new Map<Scope, Middlewares>();

  constructor(around: MiddlewareSurroundings) {
    this.#around = around;
  }

  of(scope: Scope): Middlewares {
    const known = this.#byScope.get(scope);
    if (known) return known;
    const made: Middlewares = {
      sessions: new MiddlewareChain('use'),
      messages: new MiddlewareChain('useMessages'),
    };
    this.#byScope.set(scope, made);
    return made;
  }

  /** Throws, now or later, unless the session may enter. */
  admit(session: EnteringSession, { room, cv }: JoinRequest, handshake: Handshake): Answer<void> {
    const scope = this.#around.scopes.of(room);
    if (!scope) throw new RejectError('join-not-allowed');
    const versions = scope.schemas?.versions;
    if (!versionsFit(versions, cv)) throw new RejectError('contract-version', { data: versions });
    return this.#ask(scope, session, handshake);
  }

  /**
   * A session comes back: which of its rooms it is in no more. Those of a namespace that it may not enter any more, and
   * what a server that died amid a leave has left. A failure of middleware is reported, and counts as a no.
   */
  left(session: EnteringSession, rooms: Iterable<string>, handshake: Handshake): Answer<readonly string[]> {
    const inSome = [...rooms].filter((room) => prefixOf(room) !== '');
    if (inSome.length === 0) return inSome;
    const homes = inSome.filter((room) => room === prefixOf(room));
    const asked = homes.map((home) =>
      rescue(
        () => after(this.admit(session, { room: home }, handshake), () => home),
        (error) => {
          if (!isRejectError(error)) this.#around.failed(error, home);
          return undefined;
        },
      ),
    );
    const rest = (stays: readonly (string | undefined)[]): readonly string[] =>
      inSome.filter((room) => !stays.includes(prefixOf(room)));
    return asked.some(isPromiseLike)
      ? Promise.all(asked).then(rest)
      : rest(asked as readonly (string | undefined)[]);
  }

  #ask(scope: Scope, session: EnteringSession, handshake: Handshake): Answer<void> {
    const asked = this.of(scope).sessions.ask(session, handshake);
    if (!isPromiseLike(asked)) return asked;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`middleware has not answered within ${TIMEOUT_MS} ms`));
      const cancel = this.#around.clock.setTimer(late, TIMEOUT_MS);
      asked.then(resolve, reject).then(cancel, cancel);
    });
  }
}
