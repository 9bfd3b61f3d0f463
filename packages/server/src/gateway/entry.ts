import { CloseCode, type Hello, RejectError } from '@holdfast/protocol';
import { after, rescue } from '../answer.js';
import type { MiddlewareChain } from '../middleware-chain.js';
import type { Identity, ServerPorts } from '../ports/ports.js';
import type { Answer } from '../ports/store.js';
import type { Authenticate, EnteringSession, Handshake, User } from '../types.js';
import { REVOKED, type Revocations } from './revocations.js';
import { EXPIRED, GRACE_MS, identify, type Refusal, refusalOf } from './token.js';

export interface EntrySurroundings {
  readonly ports: Pick<ServerPorts, 'clock' | 'digest'>;
  readonly auth: Authenticate<User> | undefined;
  readonly middleware: MiddlewareChain<[EnteringSession, Handshake]>;
  readonly revocations: Revocations;
  /** The application's `auth` or middleware has failed. */
  failed(error: unknown, name: string): void;
}

/** What the upgrade said and brought. */
export interface Upgraded {
  readonly handshake: Omit<Handshake, 'resumed'>;
  /** For a HELLO without one. */
  readonly token?: string | undefined;
  /** Whom `auth` has said that token to name, if it was asked. */
  readonly identity?: Identity | undefined;
}

/** Who is let in, as far as the application is concerned: the store has a word of its own. */
export interface Entrant extends Identity {
  /** Of its session, which there may be or not. */
  readonly id: string;
}

const FAILED: Refusal = {
  code: 'ERR_HANDLER_FAILED',
  text: 'see the log of the server',
  closeCode: CloseCode.INTERNAL_ERROR,
};

/** Whom the application lets in on one connection: `auth` says who it is, the middleware whether that one may enter. */
export class Entry {
  readonly #around: EntrySurroundings;
  readonly #handshake: Upgraded['handshake'];
  readonly #token: string | undefined;
  /** Whom `auth` has said the holder of a token to be. */
  #known: (Identity & { readonly token: string | undefined }) | undefined;

  constructor(around: EntrySurroundings, { handshake, token, identity }: Upgraded) {
    this.#around = around;
    this.#handshake = handshake;
    this.#token = token;
    if (identity) this.#known = { ...identity, token };
  }

  /** Empty: a guest. */
  get userId(): string {
    return this.#known?.user.id ?? '';
  }

  /** Who says this HELLO, or why that one does not come in. A failure is reported, and the client comes back later. */
  ask(hello: Hello): Answer<Entrant | Refusal> {
    const handshake = this.handshake(hello.s !== undefined);
    const identity = rescue(
      () => this.#identify(hello.a, handshake),
      (error) => this.#denied(error, 'auth'),
    );
    return after(identity, (known) => {
      if (known && 'closeCode' in known) return known;
      // It would be let in only to be shown out.
      if (known && known.expiresAt + GRACE_MS <= this.#around.ports.clock.now()) return EXPIRED;
      if (known && this.#around.revocations.includes(known)) return REVOKED;
      return this.#pass(this.#entrant(hello, known), handshake);
    });
  }

  /** Asks whom another token names, on a connection that stands; undefined: everybody is a guest. */
  get identify(): ((token: string) => Answer<Identity>) | undefined {
    const { auth, revocations } = this.#around;
    if (!auth) return undefined;
    return (token) =>
      after(identify(auth, token, this.handshake(true)), (identity) => {
        if (revocations.includes(identity)) throw new RejectError(REVOKED.text);
        return identity;
      });
  }

  /** What its HTTP request said. */
  handshake(resumed: boolean): Handshake {
    const { request, address } = this.#handshake;
    return request ? { request, address, resumed } : { address, resumed };
  }

  #identify(token: string | undefined = this.#token, handshake: Handshake): Answer<Identity | undefined> {
    const { auth } = this.#around;
    if (!auth) return undefined;
    // At the upgrade it was asked already, or before the verdict that a session is lost.
    if (this.#known && this.#known.token === token) return this.#known;
    return after(identify(auth, token, handshake), (identity) => {
      this.#known = { token, ...identity };
      return identity;
    });
  }

  #entrant(hello: Hello, known: Identity | undefined): Entrant {
    const id = hello.s ?? this.#nameOf(known?.user, hello.c);
    const { user = { id }, expiresAt = Infinity, tokenId, issuedAt } = known ?? {};
    return { id, user, expiresAt, tokenId, issuedAt };
  }

  /**
   * The nonce names the session: a client whose first WELCOME was lost finds it again. The word before the dot tells a
   * store which sessions are of one user.
   */
  #nameOf(user: User | undefined, nonce: string | undefined): string {
    const { digest } = this.#around.ports;
    const name = digest(`${user?.id ?? ''}\n${nonce}`).slice(0, 22);
    const id = user ? `${digest(user.id).slice(0, 8)}.${name}` : name;
    // Copied: a slice would keep the whole text in memory as long as the session.
    return Buffer.from(id).toString('latin1');
  }

  #pass(entrant: Entrant, handshake: Handshake): Answer<Entrant | Refusal> {
    if (this.#around.middleware.isEmpty) return entrant;
    const { id, user } = entrant;
    const session = Object.freeze({ id, user, address: handshake.address });
    const passed = rescue(
      () => this.#around.middleware.ask(session, handshake),
      (error) => this.#denied(error, 'middleware'),
    );
    return after(passed, (refusal) => refusal ?? entrant);
  }

  #denied(error: unknown, name: string): Refusal {
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    this.#around.failed(error, name);
    return FAILED;
  }
}
