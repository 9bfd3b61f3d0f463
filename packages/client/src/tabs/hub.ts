import { type Clock, CloseCode, messageOf, type WireData } from '@holdfast/protocol';
import type { Dialer } from '../ports/transport.js';
import { Carrier } from './carrier.js';
import type { HubWord, TabWord } from './words.js';

/** A tab is told that what it said is on its way when so much of it is. */
const TOLD_EVERY = 16_384;
/** With so much in the socket already, it is not on its way. */
const FULL_BYTES = 65_536;
const LOOK_MS = 100;

export interface HubSurroundings {
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** Nobody needs it any more, as far as it can see. */
  idle(): void;
}

/** One tab, as the hub sees it. */
export interface HubMember {
  hear(word: TabWord): void;
  /** It is gone: its connections end. */
  leave(): void;
}

interface Ride {
  readonly carrier: Carrier;
  index: number;
  /** Said, and the tab does not know yet whether it is on its way. */
  unpassed: number;
  looking: () => void;
}

/** Has the sockets: one for each address, with the connections of all tabs on it. */
export class Hub {
  readonly #around: HubSurroundings;
  readonly #carriers = new Set<Carrier>();
  #stage: 'open' | 'closed' = 'open';

  constructor(around: HubSurroundings) {
    this.#around = around;
  }

  get isIdle(): boolean {
    return this.#carriers.size === 0;
  }

  join(tell: (word: HubWord) => void): HubMember {
    const rides = new Map<number, Ride>();
    return {
      hear: (word) => this.#hear(rides, tell, word),
      leave: () => {
        for (const [id, ride] of rides) this.#leave(rides, id, ride, CloseCode.GOING_AWAY, 'the tab is gone');
      },
    };
  }

  /** Somebody else has the sockets from now on: everybody comes to them. */
  close(): void {
    this.#stage = 'closed';
    for (const carrier of [...this.#carriers]) carrier.end('another tab takes over');
  }

  #hear(rides: Map<number, Ride>, tell: (word: HubWord) => void, word: TabWord): void {
    if (this.#stage === 'closed') return;
    if (word[0] === 'open') {
      tell(['here']);
      return this.#open(rides, tell, word);
    }
    const [kind, id] = word;
    const ride = rides.get(id);
    if (!ride) return;
    if (kind === 'say') this.#say(ride, word[2], (size) => tell(['passed', id, size]));
    else if (kind === 'taken') ride.carrier.taken(ride.index, word[2]);
    else this.#leave(rides, id, ride, word[2], word[3]);
  }

  #open(
    rides: Map<number, Ride>,
    tell: (word: HubWord) => void,
    [, id, url, protocols]: Extract<TabWord, readonly ['open', ...unknown[]]>,
  ): void {
    const over = (word: HubWord): void => {
      rides.get(id)?.looking();
      rides.delete(id);
      tell(word);
    };
    let carrier: Carrier;
    try {
      carrier = this.#carrierTo(url, protocols);
    } catch (error) {
      // Nothing is told before the tab has got its connection.
      const said = messageOf(error);
      this.#around.clock.setTimer(() => tell(['closed', id, CloseCode.ABNORMAL, said]), 0);
      return;
    }
    const ride: Ride = { carrier, index: 0, unpassed: 0, looking: () => undefined };
    rides.set(id, ride);
    ride.index = carrier.board({
      protocols,
      opened: (protocol) => tell(['opened', id, protocol]),
      told: (data) => tell(['told', id, data]),
      closed: (code, reason) => over(['closed', id, code, reason]),
      alone: () => over(['alone', id]),
    });
  }

  #carrierTo(url: string, protocols: readonly string[]): Carrier {
    for (const carrier of this.#carriers) if (carrier.url === url && carrier.takesMore) return carrier;
    const { clock, dialer } = this.#around;
    const over = (ended: Carrier): void => {
      this.#carriers.delete(ended);
      if (this.isIdle) this.#around.idle();
    };
    const carrier = new Carrier({ clock, dialer, over }, url, protocols);
    this.#carriers.add(carrier);
    return carrier;
  }

  #say(ride: Ride, data: WireData, passed: (size: number) => void): void {
    ride.carrier.say(ride.index, data);
    const before = ride.unpassed;
    ride.unpassed += data.length;
    if (before < TOLD_EVERY && ride.unpassed >= TOLD_EVERY) this.#look(ride, passed);
  }

  /** A browser's socket does not say when it takes more. */
  #look(ride: Ride, passed: (size: number) => void): void {
    if (ride.carrier.bufferedBytes < FULL_BYTES) {
      const size = ride.unpassed;
      ride.unpassed = 0;
      return passed(size);
    }
    ride.looking = this.#around.clock.setTimer(() => this.#look(ride, passed), LOOK_MS);
  }

  #leave(rides: Map<number, Ride>, id: number, ride: Ride, code: number, reason: string): void {
    ride.looking();
    rides.delete(id);
    ride.carrier.leave(ride.index, code, reason);
  }
}
