import type { Writing } from '../ports/store.js';

/** What each writer's last call came to: it may come again, when the answer was lost. */
export class LastCalls<R> {
  readonly #byWriter = new Map<string, { w: number; result: R }>();

  /**
   * Makes the call, unless it was made before. A writer makes its next call only when it has the answer to the one
   * before, so an older one than the last comes only by accident, and nobody reads its answer.
   */
  once({ writer, w }: Writing, make: () => R): R {
    const last = this.#byWriter.get(writer);
    if (last && w <= last.w) return last.result;
    const result = make();
    if (last) Object.assign(last, { w, result });
    else this.#byWriter.set(writer, { w, result });
    return result;
  }
}
