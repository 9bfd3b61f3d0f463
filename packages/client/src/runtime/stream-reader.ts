import {
  checkSignal,
  checkType,
  Deferred,
  decodePayload,
  describeIssues,
  FrameError,
  holdfastError,
  type MessageOptions,
  type SchemaResult,
  undecodable,
  validate,
} from '@holdfast/protocol';
import type { StreamEar } from '../core/types.js';
import type { Streaming } from './streaming.js';

/** How many items the server may be ahead of the reader. */
const AHEAD = 16;
/** So many items are read until the server is told. */
const STEP = AHEAD / 2;

/** How a stream has ended: to be told to the reader after the items that came before. */
type End = { readonly error?: unknown };

/** One stream, from the first `next()` to its end. */
export class StreamReader implements AsyncIterableIterator<unknown>, StreamEar {
  readonly #streaming: Streaming;
  readonly #method: string;
  readonly #input: unknown;
  readonly #options: MessageOptions;
  /** Ends the request, and with it the handler. */
  readonly #leaving = new AbortController();
  /** Came, and not read yet. */
  readonly #items: unknown[] = [];
  /** Calls of `next()` that wait for an item. */
  readonly #readers: Deferred<IteratorResult<unknown>>[] = [];
  #stage: 'new' | 'open' | 'over' = 'new';
  #end: End = {};
  #came = 0;
  #id = '';
  credit = AHEAD;

  constructor(streaming: Streaming, method: string, input: unknown, options: MessageOptions = {}) {
    checkType(options, 'object', `stream('${method}') options`);
    checkSignal(options.signal, `stream('${method}') signal`);
    this.#streaming = streaming;
    this.#method = method;
    this.#input = input;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    const reader = new Deferred<IteratorResult<unknown>>('');
    this.#readers.push(reader);
    if (this.#stage === 'new') this.#open();
    this.#serve();
    return reader.promise;
  }

  /** The reader leaves the loop. */
  return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.#over({});
    this.#items.length = 0;
    this.#leaving.abort();
    this.#serve();
    return Promise.resolve({ done: true, value });
  }

  take(data: unknown): void {
    if (this.#came >= this.credit) {
      throw new FrameError(
        `more than ${this.credit} items of '${this.#method}', for which there was no credit`,
      );
    }
    this.#came++;
    const result = this.#read(data);
    if (result.issues) {
      const { issues } = result;
      const text = `an item of '${this.#method}' does not fit the contract: ${describeIssues(issues)}`;
      const details = { delivery: 'rejected', messageId: this.#id, issues } as const;
      this.#over({ error: holdfastError('ERR_INVALID_PAYLOAD', text, details) });
      this.#leaving.abort();
    } else {
      this.#items.push(result.value);
    }
    this.#serve();
  }

  #open(): void {
    this.#stage = 'open';
    const { scope, open } = this.#streaming;
    const { signal } = this.#options;
    const abort = (): void => {
      this.#items.length = 0;
      this.#over({ error: signal?.reason });
      this.#leaving.abort();
      this.#serve();
    };
    if (signal?.aborted) return abort();
    const ended = (end: End): void => {
      signal?.removeEventListener('abort', abort);
      this.#over(end);
      this.#serve();
    };
    try {
      const { id } = open({
        kind: 'request',
        name: this.#method,
        payload: this.#input,
        schema: scope.schemas?.streams.get(this.#method)?.input,
        options: { ...this.#options, signal: this.#leaving.signal },
        ear: this,
        outcome: { resolve: () => ended({}), reject: (error) => ended({ error }) },
      });
      this.#id = id;
      // Unless it could not even wait.
      if (this.#isOpen) signal?.addEventListener('abort', abort, { once: true });
    } catch (error) {
      ended({ error });
    }
  }

  get #isOpen(): boolean {
    return this.#stage === 'open';
  }

  #read(data: unknown): SchemaResult<unknown> {
    const { codec, scope } = this.#streaming;
    const schema = scope.schemas?.streams.get(this.#method)?.output;
    try {
      const value = decodePayload(codec, data, { kind: 'item', name: this.#method, from: 'server' });
      return schema ? validate(schema, value) : { value };
    } catch (cause) {
      return { issues: [undecodable(cause)] };
    }
  }

  /** Only the first end counts. */
  #over(end: End): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#end = end;
  }

  /** Gives what there is to those who wait. */
  #serve(): void {
    for (let reader = this.#readers[0]; reader; reader = this.#readers[0]) {
      if (this.#items.length > 0) {
        reader.resolve({ done: false, value: this.#items.shift() });
        this.#wantMore();
      } else if (this.#stage === 'over') {
        // Told once: who goes on reading finds an end.
        const end = this.#end;
        this.#end = {};
        if ('error' in end) reader.reject(end.error as Error);
        else reader.resolve({ done: true, value: undefined });
      } else {
        return;
      }
      this.#readers.shift();
    }
  }

  #wantMore(): void {
    const read = this.#came - this.#items.length;
    if (!this.#isOpen || read + AHEAD < this.credit + STEP) return;
    this.credit = read + AHEAD;
    this.#streaming.giveCredit(this);
  }
}
