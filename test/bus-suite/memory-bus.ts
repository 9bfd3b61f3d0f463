import type { BusListener, BusPort } from '@holdfast/server/ports';

interface Member {
  readonly channel: string;
  readonly listener: BusListener;
  /** What comes to it comes later, in order. */
  mail: Promise<void>;
}

/** A bus in memory, as servers would share one; whoever publishes hears himself, too. It can be away, and lose what it is given. */
export class MemoryBus implements BusPort {
  readonly name = 'memory';
  readonly #members = new Set<Member>();
  #state: 'up' | 'away' = 'up';
  /** Asked for each message: whether it is lost. */
  loses: (message: Uint8Array) => boolean = () => false;

  join(channel: string, listener: BusListener): ReturnType<BusPort['join']> {
    const member: Member = { channel, listener, mail: Promise.resolve() };
    this.#members.add(member);
    this.#post(member, () => (this.#state === 'up' ? listener.up() : listener.down(new Error('away'))));
    return {
      publish: (message) => this.#publish(member, message),
      close: async () => {
        this.#members.delete(member);
        await member.mail;
      },
    };
  }

  away(): void {
    this.#state = 'away';
    for (const member of this.#members) this.#post(member, () => member.listener.down(new Error('away')));
  }

  back(): void {
    this.#state = 'up';
    for (const member of this.#members) this.#post(member, () => member.listener.up());
  }

  #publish(from: Member, message: Uint8Array): void {
    if (this.#state === 'away' || !this.#members.has(from) || this.loses(message)) return;
    const copy = new Uint8Array(message);
    for (const member of this.#members) {
      if (member.channel === from.channel) this.#post(member, () => member.listener.heard(copy));
    }
  }

  #post(member: Member, what: () => void): void {
    member.mail = member.mail.then(() => {
      if (this.#members.has(member)) what();
    });
  }
}
