import { Deferred, isPromiseLike, type Unsubscribe } from '@holdfast/protocol';

type Ear = (...values: never[]) => unknown;

/** Who listens to what. A listener that throws, at once or later, is reported and stops nothing. */
export class Ears {
  readonly #around: { failed(error: unknown, name: string): void };
  #ears: { readonly name: string; readonly ear: Ear }[] = [];
  /** What is being told, and what is to be told after it: who listens hears it in the order in which it happened. */
  readonly #calls: (() => void)[] = [];

  constructor(around: { failed(error: unknown, name: string): void }) {
    this.#around = around;
  }

  /** Throws a `TypeError` for what is no function. */
  on(name: string, ear: Ear): Unsubscribe {
    if (typeof ear !== 'function')
      throw new TypeError(`on('${name}', listener): listener must be a function`);
    const entry = { name, ear };
    this.#ears = [...this.#ears, entry];
    return () => {
      this.#ears = this.#ears.filter((one) => one !== entry);
    };
  }

  /** Calls each, in the order in which they came. False if there was none. */
  emit(name: string, ...values: unknown[]): boolean {
    const heard = this.#ears.filter((entry) => entry.name === name);
    const failed = (error: unknown): void => this.#around.failed(error, name);
    const calls = this.#calls;
    const isFirst = calls.length === 0;
    for (const { ear } of heard) {
      calls.push(() => {
        try {
          const result = (ear as (...values: unknown[]) => unknown)(...values);
          if (isPromiseLike(result)) result.then(undefined, failed);
        } catch (error) {
          failed(error);
        }
      });
    }
    for (; isFirst && calls[0]; calls.shift()) calls[0]();
    return heard.length > 0;
  }

  /** Ends as soon as `decide` says so of a state that is now, or is told of later; its rejection is never unhandled. */
  until<S>(name: string, state: S, decide: (state: S) => Error | boolean): Promise<void> {
    const waiter = new Deferred<void>('');
    const look = (state: S): void => {
      const decision = decide(state);
      if (decision === false) return;
      stop();
      if (decision === true) waiter.resolve();
      else waiter.reject(decision);
    };
    const stop = this.on(name, look);
    look(state);
    return waiter.sending;
  }
}
