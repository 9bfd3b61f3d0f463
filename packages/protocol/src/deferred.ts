import type { Sending } from './messages.js';

/**
 * A promise with its ends in hand, which is made when somebody asks for it: most messages are sent without looking at what
 * becomes of them, and thousands may wait at once, each of which would keep a promise, its two ends and a handler alive.
 */
export class Deferred<R> {
  readonly id: string;
  /** As in `Sending`. */
  stored: Promise<void> | undefined;
  /** Somebody waits for it, and not only for its failure. */
  awaited = false;
  /** Absent: nobody has asked yet. */
  #promise: Promise<R> | undefined;
  #resolve: ((value: R | PromiseLike<R>) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  /** For who asks when it has ended. */
  #settled: { readonly value: R | PromiseLike<R> } | { readonly error: Error } | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** For whoever waits: any number of them, as good as each other. A rejection that nobody awaits stays quiet. */
  get sending(): Sending<R> {
    return new DeferredSending(this);
  }

  get promise(): Promise<R> {
    this.#promise ??= new Promise<R>((resolve, reject) => {
      const settled = this.#settled;
      if (!settled) {
        this.#resolve = resolve;
        this.#reject = reject;
      } else if ('error' in settled) reject(settled.error);
      else resolve(settled.value);
    });
    return this.#promise;
  }

  /** Of several outcomes the first counts. */
  resolve(value: R | PromiseLike<R>): void {
    if (this.#resolve) this.#resolve(value);
    else this.#settled ??= { value };
  }

  reject(error: Error): void {
    if (this.#reject) this.#reject(error);
    else this.#settled ??= { error };
  }
}

class DeferredSending<R> implements Sending<R> {
  readonly id: string;
  readonly #deferred: Deferred<R>;

  constructor(deferred: Deferred<R>) {
    this.id = deferred.id;
    this.#deferred = deferred;
  }

  get stored(): Promise<void> | undefined {
    return this.#deferred.stored;
  }

  get [Symbol.toStringTag](): string {
    return 'Promise';
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise is what this is.
  then<Yes = R, No = never>(
    onFulfilled?: ((value: R) => Yes | PromiseLike<Yes>) | null,
    onRejected?: ((reason: unknown) => No | PromiseLike<No>) | null,
  ): Promise<Yes | No> {
    if (onFulfilled) this.#deferred.awaited = true;
    return this.#deferred.promise.then(onFulfilled, onRejected);
  }

  catch<No = never>(onRejected?: ((reason: unknown) => No | PromiseLike<No>) | null): Promise<R | No> {
    return this.#deferred.promise.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<R> {
    this.#deferred.awaited = true;
    return this.#deferred.promise.finally(onFinally);
  }
}
