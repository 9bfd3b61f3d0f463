import { type Clock, isPromiseLike, isRejectError } from '@holdfast/protocol';
import type { Identity } from '../ports/ports.js';
import type { Authenticate, Handshake, User } from '../types.js';
import type { HttpRefusal } from './refuse.js';
import { AUTH_TIMEOUT_MS, GRACE_MS, identify } from './token.js';

/** So many may wait for `auth` at once: until it has answered, nobody has asked whether there is room for them. */
const MAX_ASKING = 1_000;
const BUSY: HttpRefusal = { status: 503, text: 'try again later' };

export interface UpgradeAuthSurroundings {
  readonly clock: Clock;
  /** `auth` has failed, or has not answered. */
  failed(error: unknown): void;
}

interface Asking {
  /** The connection is gone, or the server. */
  end(refusal?: HttpRefusal): void;
}

/** Asks `auth` before a connection is accepted, and refuses with HTTP 401 (RFC 9110 §15.5.2). */
export class UpgradeAuth {
  readonly #auth: Authenticate<User>;
  readonly #around: UpgradeAuthSurroundings;
  readonly #asking = new Set<Asking>();

  constructor(auth: Authenticate<User>, around: UpgradeAuthSurroundings) {
    this.#auth = auth;
    this.#around = around;
  }

  /** Calls `next` once, now or later, unless the returned function is called before. */
  ask(
    token: string | undefined,
    handshake: Handshake,
    next: (answer: Identity | HttpRefusal) => void,
  ): () => void {
    const { clock } = this.#around;
    if (this.#asking.size >= MAX_ASKING) {
      next(BUSY);
      return () => undefined;
    }
    const late = (): void => failed(new Error(`auth has not answered within ${AUTH_TIMEOUT_MS} ms`));
    const cancelDeadline = clock.setTimer(late, AUTH_TIMEOUT_MS);
    const asking: Asking = { end: (refusal) => over(refusal) };
    const over = (answer?: Identity | HttpRefusal): void => {
      if (!this.#asking.delete(asking)) return;
      cancelDeadline();
      if (answer) next(answer);
    };
    const failed = (error: unknown): void => {
      if (this.#asking.has(asking)) this.#around.failed(error);
      over(BUSY);
    };
    const denied = (error: unknown): void => {
      if (isRejectError(error)) over(unauthorized(error.reason, token));
      else failed(error);
    };
    const known = (identity: Identity): void => {
      const isOver = identity.expiresAt + GRACE_MS <= clock.now();
      over(isOver ? unauthorized('expired', token) : identity);
    };
    this.#asking.add(asking);
    try {
      const answer = identify(this.#auth, token, handshake);
      if (isPromiseLike(answer)) answer.then(known, denied);
      else known(answer);
    } catch (error) {
      denied(error);
    }
    return () => over();
  }

  /** The server takes nobody any more. */
  close(): void {
    for (const asking of [...this.#asking]) asking.end(BUSY);
  }
}

/** As RFC 6750 §3 has it: without a token there is nothing wrong with it. */
function unauthorized(reason: string, token: string | undefined): HttpRefusal {
  const challenge = token === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  return { status: 401, text: reason, headers: [`WWW-Authenticate: ${challenge}`] };
}
