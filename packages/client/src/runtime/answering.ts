import {
  type Codec,
  describeIssues,
  type ErrorItem,
  encodePayload,
  FrameError,
  Handlers,
  holdfastError,
  isRejectError,
  MAX_OPEN_REQUESTS,
  MAX_REASON,
  plainIssues,
  RejectError,
  type RequestItem,
  type ResponseItem,
  readPayload,
  type Scopes,
  Type,
  validate,
} from '@holdfast/protocol';
import type { RequestContext } from '../types.js';
import { eventMeta } from './event-meta.js';

export type RequestHandler = (input: unknown, context: RequestContext) => unknown;
type Reply = ResponseItem | ErrorItem;

export interface AnsweringSurroundings {
  readonly codec: Codec;
  readonly scopes: Scopes;
  /** Writes an answer. Throws what the codec cannot encode, and what is more than the server takes. */
  answer(item: Reply): void;
  /** A handler of the application threw. */
  failed(error: unknown, name: string): void;
}

/** Together with those that go on after they were cancelled: a server that asks and cancels piles up nothing here. */
const MAX_RUNNING = 10 * MAX_OPEN_REQUESTS;

/** What the server asks, from its request to the one answer, and the handlers that give it. */
export class Answering {
  readonly handlers: Handlers<RequestHandler>;
  readonly #around: AnsweringSurroundings;
  /** Requests without an answer, by their number. */
  readonly #open = new Map<number, AbortController>();
  #running = 0;

  constructor(around: AnsweringSurroundings) {
    this.#around = around;
    this.handlers = new Handlers('serverRequests');
  }

  /** Starts the handler before it returns. Throws a `FrameError` if the server asks more at once than it was told it may. */
  asked(item: RequestItem, seq: number): void {
    if (this.#open.size >= MAX_OPEN_REQUESTS) {
      throw new FrameError(`more than ${MAX_OPEN_REQUESTS} requests without an answer`);
    }
    const aborter = new AbortController();
    this.#open.set(seq, aborter);
    void this.#answer(item, seq, aborter);
  }

  /** Nobody waits for this answer any more. */
  cancelled(seq: number): void {
    this.#open.get(seq)?.abort(new RejectError('cancelled'));
    this.#open.delete(seq);
  }

  /** The session that asked is over: what its handlers give is for nobody. */
  abandon(code: 'ERR_SESSION_LOST' | 'ERR_CLOSED'): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    const reason = holdfastError(code, 'nobody waits for this answer any more', {
      delivery: 'unknown',
      messageId: '',
    });
    for (const aborter of open) aborter.abort(reason);
  }

  async #answer(item: RequestItem, seq: number, aborter: AbortController): Promise<void> {
    const { failed, answer } = this.#around;
    const [, method] = item;
    const isOver = (): boolean => this.#open.get(seq) !== aborter;
    const broken = (error: unknown): ErrorItem => {
      if (!isOver()) failed(error, method);
      return [Type.ERR, seq, 'ERR_HANDLER_FAILED', 'see the log of the client', undefined];
    };
    this.#running++;
    const reply = await this.#handle(item, seq, aborter.signal).catch((error: unknown): Reply => {
      if (!isRejectError(error)) return broken(error);
      return [Type.ERR, seq, 'ERR_REJECTED', error.reason.slice(0, MAX_REASON), error.data];
    });
    this.#running--;
    if (isOver()) return;
    try {
      answer(reply);
    } catch (error) {
      answer(broken(error));
    }
    this.#open.delete(seq);
  }

  async #handle(item: RequestItem, seq: number, signal: AbortSignal): Promise<Reply> {
    const [, method, data, meta] = item;
    const refuse = (code: string, why: string, more?: unknown): Reply => [Type.ERR, seq, code, why, more];
    const handler = this.handlers.get(method);
    if (!handler) return refuse('ERR_NO_HANDLER', `nobody here answers '${method}'`);
    if (this.#running > MAX_RUNNING) throw new Error(`more than ${MAX_RUNNING} handlers run already`);
    const schemas = this.#around.scopes.of(method)?.schemas?.serverRequests.get(method);
    const info = { kind: 'request', name: method, from: 'server' } as const;
    const { codec } = this.#around;
    const input = readPayload(codec, meta?.u ? undefined : data, info, schemas?.input);
    if (input.issues) {
      const why = describeIssues(input.issues).slice(0, MAX_REASON);
      return refuse('ERR_INVALID_PAYLOAD', why, plainIssues(input.issues));
    }
    const result = await handler(input.value, { ...eventMeta(meta, seq), signal });
    const issues = schemas && validate(schemas.output, result).issues;
    if (issues) throw new TypeError(`the reply does not fit the contract: ${describeIssues(issues)}`);
    return [Type.RES, seq, encodePayload(codec, result, { kind: 'reply', name: method, from: 'client' })];
  }
}
