import type { ClientNamespace } from '@holdfast/client';
import type { Coverage } from './coverage.js';
import type { Judge } from './judge.js';
import { HOME } from './namespaces.js';
import { PUT, SEVERAL } from './server-node.js';
import type { SimRoom } from './sim-client.js';
import type { SimProcess } from './sim-process.js';
import type { Published } from './store-watch.js';
import type { Visit } from './visit.js';

type Line = { readonly text?: string; readonly by?: number; readonly k?: number };

export interface RoomEarSurroundings {
  readonly name: string;
  /** With the namespace in front of it, if it is in one. */
  readonly room: string;
  /** Of a namespace and its rooms. */
  readonly visit: Visit | undefined;
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly process: SimProcess;
  /** Sessions of this member: what they published is not for it. */
  readonly sids: ReadonlySet<string>;
  /** What it has heard of what was said in several rooms. */
  readonly several: Set<string>;
  publications(): readonly Published[];
  hearing(what: () => string): void;
}

/** A member of a room, or of a namespace, which is one, and what it hears there. */
export class RoomEar {
  readonly #room: SimRoom | ClientNamespace;
  readonly #around: RoomEarSurroundings;
  /** In since then, as far as it knows; undefined: not in, or not yet. */
  #since: number | undefined;
  #leftAt = -Infinity;
  #position: { epoch: string; offset: number } | undefined;
  /** Told to be missing since the last one it heard. */
  #missing = 0;
  readonly #heard = new Set<string>();

  constructor(room: SimRoom | ClientNamespace, around: RoomEarSurroundings) {
    this.#room = room;
    this.#around = around;
    (room as SimRoom).on('line', (payload, { room: where }) => {
      // A namespace hears what is said in its rooms, too.
      if (around.room.endsWith(where ?? HOME)) this.#hear(payload as Line);
    });
    room.onState(({ status }) => {
      around.hearing(() => `${around.room}: ${status}`);
      if (status === 'joined') this.#since ??= around.process.now();
      // By a server: what was said until it hears of that is nothing to it any more.
      if (status === 'left') this.#forget();
      if (status === 'refused') this.wasLeft();
    });
  }

  join(): void {
    // Refused, or the client was closed: its state says so.
    this.#room.join({ timeoutMs: Infinity }).catch(() => undefined);
  }

  /** True if it has not left since then. */
  isInSince(at: number): boolean {
    return at > this.#leftAt && this.#isOwnMaster;
  }

  leave(): void {
    this.wasLeft();
    void this.#room.leave();
  }

  /** Its client is out, by its own wish or because it may not be in. */
  wasLeft(): void {
    this.#leftAt = this.#around.process.now();
    this.#forget();
  }

  /** Nobody else moves it. */
  get #isOwnMaster(): boolean {
    const { room, visit } = this.#around;
    return room !== PUT && visit?.isOwnMaster !== false;
  }

  #forget(): void {
    this.#since = undefined;
    this.#position = undefined;
    this.#missing = 0;
    this.#heard.clear();
  }

  gap(messages: number, reason: string): void {
    this.#missing += reason === 'new-epoch' ? Infinity : messages;
  }

  #hear(payload: Line): void {
    const { judge, coverage, name, hearing, room, visit } = this.#around;
    const text = payload.text ?? `${payload.by}:${payload.k}`;
    hearing(() => `in ${room} hears ${text}`);
    const found = this.#around.publications().filter((one) => one.text === text && one.room === room);
    const [one] = found;
    if (!one) return judge.violate(17, `${name} hears ${text}, which was not published there`);
    judge.demand(!this.#isOurs(one), 17, () => `${name} hears ${text}, which was its own`);
    // Nobody can say of which life of the room this is.
    if (isAgain(found)) return coverage.add('published again in another life of the room');
    judge.demand(!this.#heard.has(text), 17, () => `${name} hears ${text} twice`);
    this.#heard.add(text);
    visit?.hear(one);
    if (text.startsWith(SEVERAL)) {
      const { several } = this.#around;
      judge.demand(!several.has(text), 17, () => `${name} hears ${text}, which it has heard in another room`);
      several.add(text);
    }
    const position = this.#position;
    if (position?.epoch === one.epoch) {
      judge.demand(
        one.offset > position.offset,
        17,
        () => `${name} hears ${text} at ${one.offset} after ${position.offset}`,
      );
    } else if (position) {
      judge.demand(this.#missing > 0, 17, () => `${name} hears ${text} of another epoch, untold`);
    }
    this.#checkHoles(one);
    this.#position = { epoch: one.epoch, offset: one.offset };
    this.#missing = 0;
  }

  #checkHoles(until: Published): void {
    const { judge, name } = this.#around;
    const holes = this.#owed().filter((one) => one.epoch === until.epoch && one.offset < until.offset);
    judge.demand(
      holes.length <= this.#missing,
      17,
      () => `${name} hears ${until.text} without ${holes.map(({ text }) => text)}; told of ${this.#missing}`,
    );
  }

  /** What was published for it since it came in and was not heard. */
  #owed(): Published[] {
    const { publications, room: own } = this.#around;
    const since = this.#since ?? Infinity;
    const { epoch = '', offset = 0 } = this.#position ?? {};
    const here = publications().filter(({ room }) => room === own);
    return here.filter(
      (one) =>
        one.at >= since &&
        !this.#isOurs(one) &&
        !this.#around.several.has(one.text) &&
        this.#wasIn(one) &&
        (one.epoch !== epoch || one.offset > offset) &&
        !isAgain(here.filter(({ text }) => text === one.text)),
    );
  }

  /** Put in and taken out by others, it may not know; where it goes by itself, it does. */
  #wasIn({ members }: Published): boolean {
    return this.#isOwnMaster || [...this.#around.sids].some((sid) => members.has(sid));
  }

  #isOurs({ except }: Published): boolean {
    for (const sid of this.#around.sids) if (except.has(sid)) return true;
    return false;
  }

  /** All is quiet: nothing may be missing that it was not told of. */
  finish(epochNow: string | undefined): void {
    const { judge, name } = this.#around;
    if (this.#room.getState().status !== 'joined') return;
    const owed = this.#owed().filter(({ epoch }) => epoch === epochNow);
    judge.demand(
      owed.length <= this.#missing,
      3,
      () => `${name} never heard ${owed.map(({ text }) => text)}`,
    );
  }
}

/**
 * What a client has said in a room is published again in another life of it where its message is handled again: it was
 * accepted in an incarnation of the store that has lost who had handled it. What a server has said never is.
 */
function isAgain(found: readonly Published[]): boolean {
  const isOfServer = found.some(({ text }) => text.includes('#'));
  return !isOfServer && new Set(found.map(({ epoch }) => epoch)).size > 1;
}
