import type { MemberChange } from '@holdfast/protocol';
import { after, type Job, Loop } from '../answer.js';
import type { Answer, Attendance, PresentNote, SessionStore } from '../ports/store.js';
import { RoomPresence } from './room-presence.js';

export interface RollSurroundings {
  readonly room: string;
  readonly store: Pick<SessionStore, 'whoIsThere'>;
  now(): number;
  /** The members have to be told, which raises `revision`. */
  changed(changes: readonly MemberChange[]): void;
  /** The list was read as a whole. */
  read(): void;
  failed(error: unknown): void;
}

/**
 * The list of who is there in a room, as the store has it: read once, and then kept by notes, each of which follows on
 * the one before. After a hole it is read again.
 */
export class Roll implements Job {
  readonly presence = new RoomPresence();
  /** Rises with every change that the members are told of. */
  revision = 0;
  readonly #around: RollSurroundings;
  readonly #loop: Loop;
  /** Undefined: not read yet. */
  #version: number | undefined;
  /** What has come while the list was being read. */
  readonly #ahead: PresentNote[] = [];
  #stage: 'reading' | 'following' = 'following';
  /** Who waits for the list. */
  readonly #waiting: (() => void)[] = [];

  constructor(around: RollSurroundings) {
    this.#around = around;
    this.#loop = new Loop(this);
  }

  /** The list is there. */
  load(): Answer<void> {
    if (!this.#isKnown && !this.#loop.busy) this.#loop.run();
    // A store that answers at once has been read by now.
    return this.#isKnown ? undefined : new Promise((resolve) => this.#waiting.push(resolve));
  }

  get #isKnown(): boolean {
    return this.#version !== undefined;
  }

  /** Something may have been missed. */
  again(): void {
    this.#loop.run();
  }

  heard(note: PresentNote): void {
    if (this.#stage === 'reading') this.#ahead.push(note);
    else if (this.#isKnown) this.#tell(this.#follow(note));
  }

  round(): Answer<void> {
    const { store, room } = this.#around;
    this.#stage = 'reading';
    return after(store.whoIsThere({ room }), (attendance) => this.#take(attendance));
  }

  #take({ version, present }: Attendance): void {
    const isFirst = !this.#isKnown;
    this.#stage = 'following';
    this.#version = version;
    const changes = [...this.presence.replace(present, this.#around.now())];
    for (const note of this.#ahead.splice(0)) changes.push(...this.#follow(note));
    // Nobody has been given a list before: whoever waits for the first one gets it now.
    if (!isFirst) this.#tell(changes);
    for (const listed of this.#waiting.splice(0)) listed();
    this.#around.read();
  }

  #follow({ before, version, presence }: PresentNote): readonly MemberChange[] {
    const known = this.#version ?? 0;
    if (version <= known) return [];
    if (before !== known) {
      this.#loop.run();
      return [];
    }
    this.#version = version;
    return this.presence.set(presence, this.#around.now());
  }

  #tell(changes: readonly MemberChange[]): void {
    if (changes.length > 0) this.#around.changed(changes);
  }

  failed(error: unknown): void {
    this.#stage = 'following';
    this.#around.failed(error);
  }
}
