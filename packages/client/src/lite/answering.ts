import {
  type ErrorItem,
  FrameError,
  isRejectError,
  MAX_OPEN_REQUESTS,
  MAX_REASON,
  type RequestItem,
  type ResponseItem,
  Type,
  type Unsubscribe,
} from '@holdfast/protocol';
import { eventMeta } from '../runtime/event-meta.js';
import type { RequestContext } from '../types.js';
import type { Messages } from './messages.js';

export type Handler = (input: never, context: RequestContext) => unknown;

/** The session, as what it answers sees it. */
interface Around {
  readonly messages: Pick<Messages, 'control'>;
  failed(error: unknown, name: string): void;
}

/** What the server asks, from its request to the one answer. */
export class Answering {
  /** By method. */
  readonly #handlers = new Map<string, Handler>();
  readonly #session: Around;
  /** Requests without an answer, by number. */
  readonly #open = new Map<number, AbortController>();

  constructor(session: Around) {
    this.#session = session;
  }

  /** Throws a `TypeError` for what is no function, and for a second handler. */
  handle(method: string, handler: Handler): Unsubscribe {
    const handlers = this.#handlers;
    if (typeof handler !== 'function' || handlers.has(method))
      throw new TypeError(`handle('${method}', handler): one handler for each method, a function`);
    handlers.set(method, handler);
    return () => {
      if (handlers.get(method) === handler) handlers.delete(method);
    };
  }

  /** Starts the handler before it returns; never rejects. Who is not waited for any more has been aborted. */
  async asked([, method, data, meta]: RequestItem, seq: number): Promise<void> {
    const aborter = new AbortController();
    const { signal } = aborter;
    this.#open.set(seq, aborter);
    const answer = (item: ResponseItem | ErrorItem): void => {
      if (!signal.aborted) this.#session.messages.control(item);
    };
    try {
      try {
        const handler = this.#handlers.get(method);
        const context = { ...eventMeta(meta, seq), signal };
        if (handler) answer([Type.RES, seq, await handler((meta?.u ? undefined : data) as never, context)]);
        else answer([Type.ERR, seq, 'ERR_NO_HANDLER', `nobody here answers '${method}'`, undefined]);
      } catch (error) {
        if (!isRejectError(error)) throw error;
        answer([Type.ERR, seq, 'ERR_REJECTED', error.reason.slice(0, MAX_REASON), error.data]);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#session.failed(error, method);
      answer([Type.ERR, seq, 'ERR_HANDLER_FAILED', 'see the log of the client', undefined]);
    }
    if (!signal.aborted) this.#open.delete(seq);
  }

  /** Throws a `FrameError` if the server asks more at once than it was told it may. */
  checkRoom(): void {
    if (this.#open.size >= MAX_OPEN_REQUESTS) throw new FrameError(`more than ${MAX_OPEN_REQUESTS} requests`);
  }

  /** Nobody waits for this answer any more. */
  cancelled(seq: number): void {
    this.#open.get(seq)?.abort();
    this.#open.delete(seq);
  }

  /** The session that asked is over: what its handlers give is for nobody. */
  abandon(): void {
    for (const aborter of this.#open.values()) aborter.abort();
    this.#open.clear();
  }
}
