import { isPromiseLike } from '@holdfast/protocol';
import type { Answer } from './ports/store.js';

/**
 * What follows an answer: at once if it is there at once, so that a store in memory costs no turn of the event loop.
 */
export function after<T, R>(answer: Answer<T>, next: (value: T) => Answer<R>): Answer<R> {
  return isPromiseLike(answer) ? Promise.resolve(answer).then(next) : next(answer);
}

/** What `run` answers; instead of what it throws, now or later, what `denied` makes of it. */
export function rescue<T, R>(run: () => Answer<T>, denied: (error: unknown) => R): Answer<T | R> {
  try {
    const answer = run();
    return isPromiseLike(answer) ? Promise.resolve(answer).then(undefined, denied) : answer;
  } catch (error) {
    return denied(error);
  }
}

/** For an answer that nobody waits for: only its failure is told. */
export function unawaited(answer: Answer<unknown>, to: Pick<Job, 'failed'>): void {
  if (isPromiseLike(answer)) answer.then(undefined, (error: unknown) => to.failed(error));
}

/** What a loop does. An interface, not two functions: each connection has several of them. */
export interface Job {
  round(): Answer<void>;
  /** Is told of what a round throws, now or later. */
  failed(error: unknown): void;
}

/** A job that never runs twice at a time: who asks for it while it runs has it run once more. */
export class Loop {
  readonly #job: Job;
  #state: 'idle' | 'running' | 'again' = 'idle';
  #waiting: (() => void)[] | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  /** True while the job runs: its end is still to come. */
  get busy(): boolean {
    return this.#state !== 'idle';
  }

  run(): void {
    if (this.#state !== 'idle') {
      this.#state = 'again';
      return;
    }
    try {
      while (this.#round()) if (this.#over()) return;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** When it runs no more, however it ends. */
  over(): Answer<void> {
    if (!this.busy) return;
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  /** False if the end of the job is still to come. */
  #round(): boolean {
    this.#state = 'running';
    const answer = this.#job.round();
    if (!isPromiseLike(answer)) return true;
    answer.then(
      () => {
        if (!this.#over()) this.run();
      },
      (error: unknown) => this.#failed(error),
    );
    return false;
  }

  #failed(error: unknown): void {
    this.#idle();
    this.#job.failed(error);
  }

  /** True unless somebody has asked for another round. */
  #over(): boolean {
    if (this.#state !== 'again') {
      this.#idle();
      return true;
    }
    this.#state = 'idle';
    return false;
  }

  #idle(): void {
    this.#state = 'idle';
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}

/** Calls to a store that must not overtake each other. */
export class Turns {
  /** The last of those under way; undefined: the next may be made at once. */
  #last: Promise<unknown> | undefined;

  /** True if no call is under way. */
  get idle(): boolean {
    return this.#last === undefined;
  }

  /** When what is under way now is over, however it ends. */
  over(): Answer<void> {
    const nothing = (): void => undefined;
    return this.#last?.then(nothing, nothing);
  }

  take<T, R>(call: () => Answer<T>, next: (value: T) => R): Answer<R> {
    const answer = this.#last ? this.#last.then(call, call) : call();
    const result = after(answer, next);
    if (isPromiseLike(result)) {
      this.#last = result;
      const over = (): void => {
        if (this.#last === result) this.#last = undefined;
      };
      result.then(over, over);
    }
    return result;
  }
}

/** Turns for each key. Keeps those of which a call is under way. */
export class TurnsByKey {
  readonly #turns = new Map<string, Turns>();

  take<T, R>(key: string, call: () => Answer<T>, next: (value: T) => R): Answer<R> {
    const turns = this.#turns.get(key) ?? new Turns();
    const result = turns.take(call, next);
    if (!(result instanceof Promise)) return result;
    this.#turns.set(key, turns);
    return result.finally(() => {
      if (turns.idle) this.#turns.delete(key);
    });
  }
}

/**
 * What follows answers, in the order in which they were asked for: they may be under way together, and one that has to be
 * asked for again holds up those behind it.
 */
export class InOrder {
  /** What has to come before; undefined: nothing is under way. */
  #last: Promise<unknown> | undefined;

  /** When what follows on all that has been asked for has begun. */
  begun(): Answer<void> {
    return this.#last?.then(() => undefined);
  }

  follow<T, R>(answer: Answer<T>, next: (value: T) => Answer<R>): Answer<R> {
    const before = this.#last;
    if (!before && !isPromiseLike(answer)) return next(answer);
    const turn = Promise.resolve(answer);
    // Not what `next` waits for: only that it has been begun.
    const begun = (before ? before.then(() => turn) : turn).then((value) => ({ result: next(value) }));
    const over = (): void => {
      if (this.#last === last) this.#last = undefined;
    };
    const last: Promise<void> = begun.then(over, over);
    this.#last = last;
    return begun.then(({ result }) => result);
  }
}
