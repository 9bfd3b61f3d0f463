import { after, Turns } from '../answer.js';
import type { SessionStore } from '../ports/store.js';
import type { SessionData } from '../types.js';

const MAX_BYTES = 8_192;
const NOTHING: Readonly<Partial<SessionData>> = Object.freeze({});

/** What the application keeps with one session, as JSON in the store: it moves with the session. */
export class KeptData {
  readonly #sid: string;
  readonly #store: SessionStore;
  readonly #turns = new Turns();
  #data = NOTHING;

  constructor(sid: string, store: SessionStore) {
    this.#sid = sid;
    this.#store = store;
  }

  get current(): Readonly<Partial<SessionData>> {
    return this.#data;
  }

  /** The store says what it has, at an attach. */
  told(json: string | undefined): void {
    this.#data = parseData(json);
  }

  /** Throws a `TypeError` for what JSON has no word for, or too much of it. */
  set(changes: Partial<SessionData>): Promise<void> {
    if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
      throw new TypeError('setData(changes): an object is needed');
    }
    const json = JSON.stringify({ ...this.#data, ...changes });
    const bytes = Buffer.byteLength(json);
    if (bytes > MAX_BYTES) {
      throw new TypeError(`setData(changes): a session may keep ${MAX_BYTES} bytes of JSON, not ${bytes}`);
    }
    this.#data = parseData(json);
    const stored = this.#turns.take(
      () => this.#store.describe({ sid: this.#sid, data: json }),
      () => undefined,
    );
    return Promise.resolve(after(stored, () => undefined));
  }
}

/** As it comes back from the store wherever it moves to: dates are texts, and nobody can change it by mistake. */
export function parseData(json: string | undefined): Readonly<Partial<SessionData>> {
  return json === undefined ? NOTHING : Object.freeze(JSON.parse(json) as Partial<SessionData>);
}
