import { isPromiseLike, type Unsubscribe } from '@holdfast/protocol';

type Ear = (...values: never[]) => unknown;

/** Who listens to what. A listener that throws, at once or later, is reported and stops nothing. */
export class Ears {
  readonly #around: { failed(error: unknown, name: string): void };
  #ears: { readonly name: string; readonly ear: Ear }[] = [];

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
    for (const { ear } of heard) {
      try {
        const result = (ear as (...values: unknown[]) => unknown)(...values);
        if (isPromiseLike(result)) result.then(undefined, failed);
      } catch (error) {
        failed(error);
      }
    }
    return heard.length > 0;
  }

  clear(): void {
    this.#ears = [];
  }
}
