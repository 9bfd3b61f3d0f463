import type { ClientNamespace, ClientRoom } from '@holdfast/client';
import type { SimRoom } from './sim-client.js';

/** Who tells. */
interface Teller {
  readonly user: string;
  room(name: string): SimRoom | ClientNamespace;
}

/** What a user of a client has told a room about itself. */
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
  /** By user, by room. */
  readonly #told = new Map<string, Map<string, Told>>();

  constructor(app: Teller) {
    this.#app = app;
  }

  in(room: string): Readonly<Told> {
    return this.#ofUser.get(room) ?? { value: undefined, isSure: true, count: 0 };
  }

  tell(name: string, value: string | undefined): void {
    const ofUser = this.#ofUser;
    const told: Told = { ...this.in(name), isSure: false };
    const count = ++told.count;
    ofUser.set(name, told);
    (this.#app.room(name) as ClientRoom).setPresence(value).then(
      () => {
        const now = ofUser.get(name);
        if (now !== told || now.count !== count) return;
        Object.assign(now, { value, isSure: true });
      },
      () => undefined,
    );
  }

  /** A session of this user stands: what another one has told is told no more. */
  begin(user: string): void {
    for (const other of this.#told.keys()) if (other !== user) this.#told.delete(other);
  }

  /** Left, and with that forgotten. */
  left(name: string): void {
    for (const ofUser of this.#told.values()) ofUser.delete(name);
  }

  get #ofUser(): Map<string, Told> {
    const { user } = this.#app;
    const known = this.#told.get(user) ?? new Map<string, Told>();
    this.#told.set(user, known);
    return known;
  }
}
