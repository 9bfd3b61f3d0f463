import { safeEqual } from '../platform/safe-equal.js';

/**
 * Hashes of a session's resume keys. The client is given a new one with each connection; the one it showed stays
 * valid until it is heard on that connection, since the WELCOME with the new one may never arrive.
 */
export class Keys {
  #current: string;
  #previous: string | undefined;

  constructor(current: string) {
    this.#current = current;
  }

  include(key: string | undefined): boolean {
    if (key === undefined) return false;
    // Both are compared always: the time that it takes does not say which one it was.
    const matches = [this.#current, this.#previous ?? ''].map((known) => safeEqual(known, key));
    return matches.includes(true) && key !== '';
  }

  rotate(shown: string | undefined, next: string): void {
    this.#previous = shown;
    this.#current = next;
  }

  /** The client has the new one. */
  confirm(): void {
    this.#previous = undefined;
  }
}
