import { Alarm, type Clock } from '@holdfast/protocol';
import { ByAge } from '../by-age.js';

/** So long after the loss of its connection a session is still shown as there: most are back by then; ms. */
const GRACE_MS = 5_000;

/** Who has lost a connection a moment ago, and may be back before anybody need be told. */
export class PresenceGrace<S> {
  readonly #clock: Clock;
  readonly #over: (session: S) => void;
  readonly #alarm: Alarm;
  /** With when it is over; the soonest first. */
  readonly #waiting = new ByAge<S, number>();

  constructor(clock: Clock, over: (session: S) => void) {
    this.#clock = clock;
    this.#over = over;
    this.#alarm = new Alarm(clock, () => this.#ring());
  }

  has(session: S): boolean {
    return this.#waiting.has(session);
  }

  begin(session: S): void {
    this.#waiting.set(session, this.#clock.now() + GRACE_MS);
    this.#set();
  }

  /** It is back, or has ended. */
  end(session: S): void {
    if (this.#waiting.delete(session)) this.#set();
  }

  #ring(): void {
    const now = this.#clock.now();
    for (let { oldest } = this.#waiting; oldest && oldest.value <= now; oldest = this.#waiting.oldest) {
      this.#waiting.delete(oldest.key);
      this.#over(oldest.key);
    }
    this.#set();
  }

  #set(): void {
    this.#alarm.set(this.#waiting.oldest?.value ?? Infinity);
  }
}
