import type { UndeliveredMessage } from '@holdfast/client';
import { type Crew, isUnknown, type Member, missing, pause, ROOM, union, within } from './crew.js';
import { judge, type Stream, type Verdict } from './histories.js';

/** What one member has said in the room. */
interface Said {
  readonly words: number[];
  /** What nobody promises any more, since the one who said it was told so. */
  readonly told: Set<number>;
}

interface Heard {
  readonly words: number[];
  /** After so many it was told that some may be missing. */
  readonly holes: Set<number>;
}

/** The members of a crew talk to each other in its room; each hears everybody else. */
export class Chatter {
  readonly #members: readonly Member[];
  readonly #said = new Map<string, Said>();
  /** By who hears, then by who speaks. */
  readonly #heard = new Map<string, Map<string, Heard>>();
  readonly #open: Promise<unknown>[] = [];
  /** What nobody should have been told. */
  readonly troubles: string[] = [];

  constructor({ members }: Crew) {
    this.#members = members;
    for (const member of members) this.#listen(member);
  }

  #listen({ name, client }: Member): void {
    const said: Said = { words: [], told: new Set() };
    const others = this.#members.filter((other) => other.name !== name);
    const heard = new Map(
      others.map((other): [string, Heard] => [other.name, { words: [], holes: new Set() }]),
    );
    this.#said.set(name, said);
    this.#heard.set(name, heard);
    const unknown = ({ room, payload }: UndeliveredMessage): void => {
      if (room === ROOM) said.told.add(wordOf(payload).n);
    };
    const hole = (): void => {
      for (const { words, holes } of heard.values()) holes.add(words.length);
    };
    client.room(ROOM).on('word', (payload) => {
      const { by, n } = wordOf(payload);
      const from = heard.get(by);
      if (from) from.words.push(n);
      else this.troubles.push(`${name} hears ${by}`);
    });
    client.onSessionLost((lost) => {
      for (const message of lost.unknown) unknown(message);
      hole();
    });
    client.onGap(({ room }) => room === ROOM && hole());
    client.onUndelivered(unknown);
  }

  /** Resolves when the last word has been sent. */
  async talk({
    perSecond,
    seconds,
  }: {
    readonly perSecond: number;
    readonly seconds: number;
  }): Promise<void> {
    for (let round = 0; round < perSecond * seconds; round++) {
      for (const member of this.#members) this.#say(member);
      await pause(1_000 / perSecond);
    }
  }

  #say({ name, client }: Member): void {
    const { words, told } = this.#said.get(name) as Said;
    const n = words.push(words.length + 1);
    const sending = client.room(ROOM).send('word', { by: name, n });
    this.#open.push(
      sending.then(
        () => undefined,
        (error: unknown) => {
          if (isUnknown(error)) told.add(n);
          else this.troubles.push(`${name}: word ${n}: ${String(error)}`);
        },
      ),
    );
  }

  /** Resolves when each word has an outcome, and nobody waits for one that was promised; or in vain. */
  async settle(): Promise<void> {
    await within(Promise.all(this.#open), 'every word has an outcome');
    for (const end = Date.now() + 20_000; Date.now() < end && this.verdict().lost > 0; ) await pause(200);
  }

  /** `all`: with what was told to be unknown, which may not come twice either. */
  verdict(judged: 'promised' | 'all' = 'promised'): Verdict {
    const streams = [...this.#heard].flatMap(([hearer, heard]) =>
      [...heard].map(([speaker, { words, holes }]): Stream => {
        const { words: sent, told } = this.#said.get(speaker) as Said;
        const excused = judged === 'all' ? new Set<number>() : union(told, missing(sent, words, holes));
        const isPromised = (n: number): boolean => !excused.has(n);
        const came = words.filter(isPromised).map((n) => ({ n, redelivered: false }));
        return { name: `${hearer} hears ${speaker}`, sent: sent.filter(isPromised), came };
      }),
    );
    return judge(streams);
  }

  /** How many words their speakers were told to be unknown, and how often somebody was told of missing ones. */
  told(): { readonly words: number; readonly holes: number } {
    const words = [...this.#said.values()].reduce((sum, { told }) => sum + told.size, 0);
    const holes = [...this.#heard.values()].map((heard) =>
      Math.max(0, ...[...heard.values()].map((one) => one.holes.size)),
    );
    return { words, holes: holes.reduce((sum, more) => sum + more, 0) };
  }
}

const wordOf = (payload: unknown) => payload as { readonly by: string; readonly n: number };
