const TICK_MS = 2;

/** Says 1, 2, 3, … at a rate, whatever the network does. */
export class Talker {
  readonly #say: (number: number) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  sent = 0;

  constructor(say: (number: number) => void) {
    this.#say = say;
  }

  start(perSecond: number): void {
    const start = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - start) * perSecond) / 1000);
      while (this.sent < due) this.#say(++this.sent);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
