import type { Clock } from '@holdfast/protocol';

/**
 * What carries notes between servers, in the place of the store itself: `nats()` of `@holdfast/nats`. What stands behind it
 * may change in a minor version until 1.0.
 */
export interface Bus {
  readonly name: string;
}

/** What a `Bus` is to a store. It may lose what it is given; what it passes on, it passes on once, and in its publisher's order. */
export interface BusPort extends Bus {
  /** For one server. Does not wait for anything, and tells `listener` nothing before it has returned. */
  join(
    channel: string,
    listener: BusListener,
    around: { readonly clock: Pick<Clock, 'setTimer'> },
  ): BusConnection;
}

export interface BusListener {
  /** What another server has published. That of this one may come, too. */
  heard(message: Uint8Array): void;
  /** What is published from now on is passed on, and what others publish is heard. */
  up(): void;
  /** It cannot be reached any more, or not yet, for this reason. Told once until it is `up`. */
  down(error: unknown): void;
}

export interface BusConnection {
  /** 64 KiB at most. Nobody waits for it, and nothing piles up: what cannot be passed on is dropped. Never throws. */
  publish(message: Uint8Array): void;
  /** What was published before is still passed on, if it can be. */
  close(): Promise<void>;
}
