import { prefixOf, traceparentOf, type WireMeta } from '@holdfast/protocol';
import type { Aborter } from '../aborter.js';
import type { Session } from '../session.js';
import type { ServerContext, ServerSession } from '../types.js';

/** What is known of a message by what runs it. */
export interface Running {
  readonly seq: number;
  readonly redelivered: boolean;
  readonly aborter: Pick<Aborter, 'signal'>;
  /** Ms since 1970. */
  readonly begun: number;
}

/** What a handler is given beside the payload. A class, since one is made for each message: literals with a getter are slow. */
export class HandlerContext implements ServerContext {
  readonly seq: number;
  readonly redelivered: boolean;
  readonly id: string;
  readonly at: number;
  readonly sentAt: number | undefined;
  readonly room: string | undefined;
  readonly from: string | undefined;
  readonly traceparent: string | undefined;
  readonly session: ServerSession;
  readonly #aborter: Pick<Aborter, 'signal'>;

  /** `name`: of the event or request, as it is on the wire. */
  constructor(
    session: Session,
    { seq, redelivered, aborter, begun }: Running,
    name: string,
    { i: id = '', r, s, c }: WireMeta,
  ) {
    const prefix = prefixOf(name);
    this.seq = seq;
    this.redelivered = redelivered;
    this.id = id;
    this.at = Math.floor(begun);
    this.sentAt = s;
    this.room = r?.slice(prefix.length);
    this.from = session.user.id;
    this.traceparent = traceparentOf(c);
    this.session = session.facadeIn(prefix);
    this.#aborter = aborter;
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }
}
