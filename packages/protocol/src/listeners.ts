import { EventEmitter } from 'eventemitter3';
import { isPromiseLike, type ListenOptions, type Unsubscribe } from './messages.js';
import { checkKeys, checkSignal } from './options.js';

/** What listens: each event's own types are checked where its name is known. */
export type Listener = (...values: never[]) => unknown;
type AnyListener = (...values: unknown[]) => unknown;

/**
 * Who listens to what. A listener that throws, at once or later, is reported and stops nothing: neither the other
 * listeners nor the one who emits.
 */
export class Listeners {
  readonly #emitter = new EventEmitter();
  /** What takes each of them off. */
  readonly #offs = new Set<Unsubscribe>();
  readonly #report: (error: unknown, name: string) => void;

  constructor(report: (error: unknown, name: string) => void) {
    this.#report = report;
  }

  on(name: string, listener: Listener, options: ListenOptions = {}): Unsubscribe {
    checkKeys(options, ['once', 'signal'], `on('${name}') options`);
    const { once = false, signal } = options;
    checkSignal(signal, `on('${name}') signal`);
    if (typeof listener !== 'function') {
      throw new TypeError(`on('${name}', listener): listener must be a function, not ${typeof listener}`);
    }
    if (signal?.aborted) return () => undefined;
    const call: AnyListener = (...values) => {
      if (once) off();
      return (listener as AnyListener)(...values);
    };
    const off = (): void => {
      this.#offs.delete(off);
      this.#emitter.off(name, call);
      signal?.removeEventListener('abort', off);
    };
    this.#offs.add(off);
    this.#emitter.on(name, call);
    signal?.addEventListener('abort', off);
    return off;
  }

  has(name: string): boolean {
    return this.#emitter.listenerCount(name) > 0;
  }

  /** In the order in which they came; for whoever has to know what each of them says. */
  of(name: string): readonly AnyListener[] {
    return this.#emitter.listeners(name) as AnyListener[];
  }

  /** Calls each listener, in the order in which they came. False if there was none. */
  emit(name: string, ...values: unknown[]): boolean {
    const listeners = this.of(name);
    for (const listener of listeners) {
      try {
        const result = listener(...values);
        if (isPromiseLike(result)) result.then(undefined, (error: unknown) => this.#report(error, name));
      } catch (error) {
        this.#report(error, name);
      }
    }
    return listeners.length > 0;
  }

  clear(): void {
    for (const off of this.#offs) off();
  }
}
