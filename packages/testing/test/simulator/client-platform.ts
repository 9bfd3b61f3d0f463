import type { Signal, Signals } from '@holdfast/client/ports';
import type { Coverage } from './coverage.js';
import type { SimProcess } from './sim-process.js';

/** What a client has beside its network: what its page or device says of itself, and where its tokens come from. */
export class ClientPlatform {
  readonly #process: SimProcess;
  readonly #coverage: Coverage;
  readonly #listeners = new Set<(signal: Signal) => void>();
  /** What becomes of who asks for a token. */
  tokens: 'fine' | 'throws' | 'hangs' | 'stale' = 'fine';
  readonly signals: Signals = {
    listen: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  constructor(process: SimProcess, coverage: Coverage) {
    this.#process = process;
    this.#coverage = coverage;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  say(signal: Signal): void {
    for (const listener of [...this.#listeners]) this.#process.run(() => listener(signal));
  }

  /** What a client of this user gets its tokens from; `ttlMs` undefined: they are good for ever. */
  auth(user: string, ttlMs: number | undefined): string | (() => string | Promise<string>) {
    return ttlMs === undefined ? user : () => this.#token(user, ttlMs);
  }

  /** A token of this user: who it is, and when it expires. */
  #token(user: string, ttlMs: number): string | Promise<string> {
    const now = this.#process.now();
    this.#coverage.add(`token: ${this.tokens}`);
    switch (this.tokens) {
      case 'throws':
        throw new Error('no token today');
      case 'hangs':
        return new Promise(() => undefined);
      case 'stale':
        return `${user}@${now - 1}`;
      case 'fine':
        return Promise.resolve(`${user}@${now + ttlMs}`);
    }
  }
}
