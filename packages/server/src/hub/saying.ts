import { after, type Job, Loop } from '../answer.js';
import type { Answer, Presence, Present, There } from '../ports/store.js';

export interface SayingSurroundings {
  readonly sid: string;
  /** How it is now. */
  wish(): { readonly gen: number; readonly there: There | undefined };
  nextCall(): number;
  present(presence: Presence): Answer<Present>;
  /** The room's list has no place for it. */
  full(saying: Saying): void;
  /** There is nothing to say, and nothing was said. */
  over(): void;
  failed(error: unknown): void;
}

/** What this server says of one of its sessions in one room, one call after the other, until the store has it as it is. */
export class Saying implements Job {
  readonly #around: SayingSurroundings;
  readonly #loop: Loop;
  /** What the store has, by its last answer: '' says that the session is not there; undefined: nobody knows. */
  #said: string | undefined = '';
  #stage: 'open' | 'leaving' | 'stopped' = 'open';
  /** Of the last call. */
  w = 0;

  constructor(around: SayingSurroundings) {
    this.#around = around;
    this.#loop = new Loop(this);
  }

  /** A call is under way. */
  get busy(): boolean {
    return this.#loop.busy;
  }

  /** It may have changed. */
  look(): void {
    this.#loop.run();
  }

  /** The store may have something else than what was said. */
  again(): void {
    if (!this.busy) this.#said = undefined;
    this.#loop.run();
  }

  /** The session leaves the room by itself: in the step that says so, the store takes it off the list. */
  left(): void {
    if (this.busy) return;
    this.#said = '';
    this.#around.over();
  }

  /** It is not there for good: the last that is said. */
  leave(): void {
    this.#stage = 'leaving';
    this.#loop.run();
  }

  /** Nothing is said any more. */
  stop(): void {
    this.#stage = 'stopped';
  }

  round(): Answer<void> {
    if (this.#stage === 'stopped') return;
    const { gen, there: wished } = this.#around.wish();
    const there = this.#stage === 'leaving' ? undefined : wished;
    const said = there ? JSON.stringify([gen, there.state]) : '';
    if (said === this.#said) return said === '' ? this.#around.over() : undefined;
    this.w = this.#around.nextCall();
    const presence = { sid: this.#around.sid, gen, w: this.w, ...(there && { there }) };
    return after(this.#around.present(presence), ({ status }) => this.#answered(status, said));
  }

  #answered(status: Present['status'], said: string): void {
    // Not a member yet, or not any more: what makes it one says it again.
    this.#said = status === 'gone' ? '' : said;
    if (status === 'full') this.#around.full(this);
    if (status !== 'gone') this.#loop.run();
  }

  failed(error: unknown): void {
    this.#around.failed(error);
  }
}
