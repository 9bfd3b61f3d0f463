/** What has arrived of the numbers from 1 on, and how. */
export class Tally {
  #seen = new Uint8Array(65_536);
  #highest = 0;
  /** Different numbers. */
  heard = 0;
  /** Arrivals of what had arrived before. */
  doubled = 0;
  /** First arrivals behind a higher number. */
  outOfOrder = 0;

  hear(number: number): void {
    if (!(Number.isSafeInteger(number) && number > 0)) throw new TypeError(`no number: ${number}`);
    if (number >= this.#seen.length) {
      const wider = new Uint8Array(2 * number);
      wider.set(this.#seen);
      this.#seen = wider;
    }
    if (this.#seen[number]) {
      this.doubled++;
      return;
    }
    this.#seen[number] = 1;
    this.heard++;
    if (number < this.#highest) this.outOfOrder++;
    else this.#highest = number;
  }

  /** Which of the numbers from 1 to this have not arrived. */
  missing(last: number): number[] {
    return Array.from({ length: last }, (_, index) => index + 1).filter((number) => !this.#seen[number]);
  }
}
