import type { Payload } from './system.js';

/** So many bytes in all, as JSON with its number. */
export const filling = (bytes: number): string => 'x'.repeat(bytes - 20);
/** More in one go would keep everything else of the process waiting. */
const AT_ONCE = 64;

/** Says one message after the other, as fast as `most` unconfirmed ones allow. */
export class Push {
  readonly #say: (payload: Payload) => void;
  readonly #most: number;
  readonly #text: string;
  #said = 0;
  #confirmed = 0;
  #state: 'running' | 'waiting' | 'stopped' = 'waiting';

  constructor(say: (payload: Payload) => void, most: number, bytes = 100) {
    this.#say = say;
    this.#most = most;
    this.#text = filling(bytes);
  }

  get said(): number {
    return this.#said;
  }

  get allConfirmed(): number {
    return this.#confirmed;
  }

  run(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'running';
    this.#turn();
  }

  stop(): void {
    this.#state = 'stopped';
  }

  /** The other end has heard so many. */
  confirmed(count: number): void {
    this.#confirmed = Math.max(this.#confirmed, count);
    this.run();
  }

  readonly #turn = (): void => {
    if (this.#state !== 'running') return;
    for (let count = 0; count < AT_ONCE; count++) {
      if (this.#said - this.#confirmed >= this.#most) {
        this.#state = 'waiting';
        return;
      }
      this.#say({ n: ++this.#said, text: this.#text });
    }
    setImmediate(this.#turn);
  };
}
