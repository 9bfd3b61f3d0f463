import { type ClientRoom, createClient, type HoldfastClient, type Member } from '@holdfast/client';
import { answerTo, greeting } from './answers.js';
import type { Chat } from './contract.js';
import { LIMPET, limpetToken } from './names.js';

const THINK_MS = 700;
/** A visitor gets so many answers in a row, and then one for each refill: nobody can make it flood the room. */
const ANSWERS = 6;
const REFILL_MS = 5_000;
const REMEMBERED = 500;

interface Acquaintance {
  answered: number;
  allowance: number;
  askedAt: number;
}

/** The bot of the lobby: an ordinary client, over the loopback, so that one person alone sees a conversation. */
export class Limpet {
  readonly #client: HoldfastClient<Chat>;
  readonly #room: ClientRoom<Chat>;
  readonly #startedAt = new Date();
  readonly #known = new Map<string, Acquaintance>();
  readonly #thoughts: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.#client = createClient<Chat>({ url, auth: limpetToken });
    this.#room = this.#client.room('lobby');
    this.#room.onMembers((members) => this.#welcome(members));
    this.#room.on('typing', () => undefined);
    this.#client.on('served-by', () => undefined);
    this.#room.on('message', ({ text }, { from }) => {
      if (from !== undefined && from !== LIMPET) this.#hear(text, from);
    });
  }

  /** Resolves when it sits in the lobby. */
  async start(): Promise<void> {
    await this.#client.connect();
    await this.#room.join();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#client.close();
  }

  get #others(): readonly Member[] {
    return this.#room.members.filter(({ userId }) => userId !== LIMPET);
  }

  /** Greets whoever is new and would otherwise be met by silence. */
  #welcome(members: readonly Member[]): void {
    const others = members.filter(({ userId }) => userId !== LIMPET);
    for (const { userId } of others) {
      if (this.#known.has(userId)) continue;
      this.#meet(userId);
      if (others.length === 1) this.#say(greeting(userId));
    }
  }

  #hear(text: string, from: string): void {
    const now = new Date();
    const visitor = this.#known.get(from) ?? this.#meet(from);
    visitor.allowance = Math.min(ANSWERS, visitor.allowance + (now.getTime() - visitor.askedAt) / REFILL_MS);
    visitor.askedAt = now.getTime();
    if (visitor.allowance < 1) return;
    const { answered } = visitor;
    const answer = answerTo({ text, from, others: this.#others, answered, now, startedAt: this.#startedAt });
    if (answer === undefined) return;
    visitor.answered += 1;
    visitor.allowance -= 1;
    this.#say(answer);
  }

  #meet(userId: string): Acquaintance {
    const visitor = { answered: 0, allowance: ANSWERS, askedAt: Date.now() };
    this.#known.set(userId, visitor);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return visitor;
  }

  /** One thing after the other, each after a moment of typing. */
  #say(text: string): void {
    this.#thoughts.push(text);
    if (this.#thoughts.length === 1) this.#think();
  }

  #think(): void {
    void this.#room.send('typing', { isTyping: true }, { delivery: 'volatile' });
    this.#timer = setTimeout(() => {
      const [text] = this.#thoughts;
      if (text !== undefined) void this.#room.send('message', { text });
      this.#thoughts.shift();
      if (this.#thoughts.length > 0) this.#think();
    }, THINK_MS);
  }
}
