import type { Orphan } from '@holdfast/server/ports';
import { type Argument, orphan } from './calls.js';
import type { Keys } from './keys.js';
import { groupsOf, listOf, numberOf, type Reply, textOf, textsOf } from './replies.js';
import { type Script, scripts } from './script.js';

type Run = (
  script: Script,
  keys: readonly string[],
  name: string,
  args: readonly Argument[],
) => Promise<Reply>;

/** What others have left undone, who died over it. */
export interface LeftBehind {
  /** Rooms that were not told how a session stands to them. */
  tell(sid: string, rooms: readonly string[]): Promise<void>;
  /** What a session has left in registers and rooms that nobody has ended, or not to the end. */
  tidy(sid: string): Promise<unknown>;
}

/** So many sessions are looked at in one go. */
const BATCH = 500;
/** And so often, in one call: who looks comes again. */
const MAX_BATCHES = 20;
/** What is entered and not made after so long will not be made. */
const GRACE_MS = 60_000;

/**
 * Lists of sessions: all of them, and those of each user. They stand elsewhere than the sessions, so a session is
 * entered before it is made. Nobody enters when one is touched: whoever looks for idle ones finds those that were not
 * idle, and moves them on.
 */
export class Registers {
  readonly #keys: Keys;
  readonly #run: Run;
  readonly #left: LeftBehind;

  constructor(keys: Keys, run: Run, left: LeftBehind) {
    this.#keys = keys;
    this.#run = run;
    this.#left = left;
  }

  /** Returns the mark of the entry. */
  async enter(sid: string, userId: string): Promise<string> {
    const [, stamp] = await Promise.all([
      this.#run(scripts.enter, [this.#keys.sessions], sid, []),
      this.#run(scripts.enter, [this.#keys.user(userId)], sid, []),
    ]);
    return textOf(stamp);
  }

  /** Its session has ended. The register of all is seen to by who looks for orphans: messages of it may be left. */
  async leave(sid: string, userId: string, stamp: string): Promise<void> {
    await this.#run(scripts.strike, [this.#keys.user(userId)], sid, [stamp, 0]);
  }

  all(): Promise<string[]> {
    return this.#membersOf(this.#keys.sessions);
  }

  ofUser(userId: string): Promise<string[]> {
    return this.#membersOf(this.#keys.user(userId));
  }

  async #membersOf(register: string): Promise<string[]> {
    const flat = textsOf(await this.#run(scripts.idleIn, [register], '', [0, Number.MAX_SAFE_INTEGER]));
    return flat.filter((_, index) => index % 2 === 0);
  }

  /** Sessions that nobody has touched for so long, and those that have left something to be handled. */
  async orphans(idleMs: number): Promise<Orphan[]> {
    const orphans: Orphan[] = [];
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const entries = groupsOf(
        listOf(await this.#run(scripts.idleIn, [this.#keys.sessions], '', [idleMs, BATCH])),
        2,
      );
      const looked = await Promise.all(
        entries.map(([sid, score]) => this.#lookAt(textOf(sid), textOf(score), idleMs)),
      );
      const idle = looked.filter((one) => one !== undefined);
      orphans.push(...idle);
      // Who has been found stays where it is, and would be found again.
      if (entries.length < BATCH || idle.length > 0) break;
    }
    return orphans;
  }

  async #lookAt(sid: string, score: string, idleMs: number): Promise<Orphan | undefined> {
    const [what, ...rest] = listOf(await this.#run(scripts.orphan, [this.#keys.session(sid)], sid, [idleMs]));
    const register = [this.#keys.sessions];
    switch (textOf(what)) {
      case 'orphan':
        await this.#left.tell(sid, textsOf(rest[5]));
        return orphan(sid, rest);
      case 'touched':
        await this.#run(scripts.advance, register, sid, [numberOf(rest[0])]);
        return undefined;
      case 'left':
        await this.#left.tidy(sid);
        return undefined;
      default:
        await this.#run(scripts.strike, register, sid, [score, GRACE_MS]);
        return undefined;
    }
  }
}
