import type { Judge } from './judge.js';
import type { Down, Ledger } from './ledger.js';

/** As it stands in what a server says to one session. */
export interface DirectWords {
  readonly writer: string;
  readonly sid: string;
  readonly k: number;
}

export interface DirectEarSurroundings {
  readonly name: string;
  readonly judge: Judge;
  readonly ledger: Ledger;
  /** Of the session that it is in. */
  sid(): string | undefined;
}

/** What a client hears of what servers say to its session, and to nobody else. */
export class DirectEar {
  readonly #around: DirectEarSurroundings;
  /** By session: how many messages it was told to be missing. */
  readonly #missing = new Map<string, number>();
  /** Session and number of what servers have said to be missing. */
  readonly holes = new Set<string>();

  constructor(around: DirectEarSurroundings) {
    this.#around = around;
  }

  gap(messages: number): void {
    const sid = this.#around.sid();
    if (sid) this.#missing.set(sid, (this.#missing.get(sid) ?? 0) + messages);
  }

  /** All is quiet: of each hole it has been told. */
  finish(): void {
    const { judge, name } = this.#around;
    const sid = this.#around.sid();
    const holes = [...this.holes].filter((hole) => hole.startsWith(`${sid} `)).length;
    const told = this.#missing.get(sid ?? '') ?? 0;
    judge.demand(holes <= told, 2, () => `${name} was told of ${told} of ${holes} that will not come`);
  }

  hear({ writer, sid, k }: DirectWords, room: string | undefined): void {
    const { judge, ledger, name } = this.#around;
    if (room !== undefined) return judge.violate(17, `${name}: a direct message in ${room}`);
    const own = this.#around.sid();
    judge.demand(sid === own, 1, () => `${name} of ${own} hears what was for ${sid}`);
    const downs = ledger.downs(writer, sid);
    const down = downs[k];
    if (!down) return judge.violate(1, `${name} hears ${k} of ${writer}, which was never sent`);
    judge.demand(down.heard === 0, 1, () => `${name} hears ${k} of ${writer} twice`);
    down.heard++;
    const holes = downs.slice(0, k).filter((one) => one.heard === 0 && isOwed(one)).length;
    const told = this.#missing.get(sid) ?? 0;
    judge.demand(holes <= told, 2, () => `${name} hears ${k} of ${writer}, ${holes} before it are missing`);
    const later = downs.slice(k + 1).filter((one) => one.heard > 0).length;
    judge.demand(later === 0, 1, () => `${name} hears ${k} of ${writer} after later ones`);
  }
}

/** It was taken, and its sender was not told that it will not come. */
function isOwed({ outcome }: Down): boolean {
  return outcome === undefined || outcome === 'ok';
}
