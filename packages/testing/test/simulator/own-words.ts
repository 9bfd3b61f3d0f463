import type { ClientNamespace, ClientRoom } from '@holdfast/client';
import type { SimRoom } from './sim-client.js';

/** Who tells. */
interface Teller {
  room(name: string): SimRoom | ClientNamespace;
}

/** What a client has told a room about itself. */
interface Told {
  /** The newest that was acknowledged; undefined: nothing, or nothing any more. */
  value: string | undefined;
  /** Whether that is what the others must be shown: nothing that has come to nothing was said after it. */
  isSure: boolean;
  /** How often something was said. */
  count: number;
}

/** What one client tells rooms about itself. */
export class Telling {
  readonly #app: Teller;
  readonly #told = new Map<string, Told>();

  constructor(app: Teller) {
    this.#app = app;
  }

  in(room: string): Readonly<Told> {
    return this.#told.get(room) ?? { value: undefined, isSure: true, count: 0 };
  }

  tell(name: string, value: string | undefined): void {
    const told: Told = { ...this.in(name), isSure: false };
    const count = ++told.count;
    this.#told.set(name, told);
    (this.#app.room(name) as ClientRoom).setPresence(value).then(
      () => {
        const now = this.#told.get(name);
        if (now !== told || now.count !== count) return;
        Object.assign(now, { value, isSure: true });
      },
      () => undefined,
    );
  }

  /** Left, and with that forgotten. */
  left(name: string): void {
    this.#told.delete(name);
  }
}
