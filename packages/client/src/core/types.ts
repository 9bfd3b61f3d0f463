import type {
  Clock,
  Codec,
  Deferred,
  Delivery,
  DeliveryError,
  HoldfastError,
  OutboxPlace,
  Outgoing,
  Random,
  SchemaResult,
  Sending,
  WireData,
} from '@holdfast/protocol';
import type { RestoredMessage, UndeliveredMessage } from '../types.js';

/** Who hears the stream that answers a request. */
export interface StreamEar {
  /** How many items it takes, from the beginning on. */
  readonly credit: number;
  /** The next item, as it stands on the wire. Throws a `FrameError` for more than there was credit. */
  take(data: unknown): void;
}

/** A message of the application on its way out, from `send` or `request` until its outcome is known. */
export interface Message extends Outgoing, UndeliveredMessage {
  /** Among all of its client, in the order in which they came; 0 before it is one of them. */
  no: number;
  encoded: WireData;
  bytes: number;
  readonly delivery: Delivery;
  /** Of a durable one: which outbox it comes from, and its number there. */
  readonly outboxPlace?: OutboxPlace | undefined;
  /**
   * `storing`: not to be written before it is stored, nor what comes after it. `stuck`: the storage does not take it.
   * `unjoined`: an earlier life has left it for a room that nobody has asked for in this one.
   */
  hold: 'none' | 'storing' | 'stuck' | 'unjoined';
  /** For the promise of one whose caller is gone. */
  readonly sending?: Sending | undefined;
  /** Of a `latest` one: while it waits, a newer one with the same slot takes its place. */
  readonly slot?: string | undefined;
  /** Of a request that is answered by a stream. */
  readonly ear?: StreamEar | undefined;
  /** Of a request: what its answer says, or what is wrong with it. May throw. */
  readonly read?: ((reply: unknown) => SchemaResult<unknown>) | undefined;
  /** Not written by then: it expires. `Infinity`: never. */
  readonly expiresAt: number;
  /** No answer by then: it times out. `Infinity`: never. */
  readonly deadlineAt: number;
  /** When it was put on the wire; undefined while it waits. */
  writtenAt: number | undefined;
  /** Whom to tell how it ended. */
  readonly outcome: Pick<Deferred<unknown>, 'resolve' | 'reject'>;
}

/** The session that stands, as far as a durable outbox has to know it. */
export interface DurableSession {
  /** Undefined: a guest, who will be another one next time. */
  readonly userId: string | undefined;
  readonly epoch: string;
  /** How much the server's clock is ahead of ours, ms. */
  readonly aheadMs: number;
  /** How far back the server knows what was accepted; ms. */
  readonly windowMs: number;
}

/** Puts what waits into another order, and more into it. */
export type Rearrangement = (waiting: Message[]) => void;

/** The client whose messages are kept: as much of it as a durable outbox needs. What it has not yet when it opens one, it has later. */
export interface DurableClient {
  readonly ports: { readonly clock: Clock; readonly random: Random };
  readonly settings: { readonly codec: Codec };
  readonly exchange: {
    /** What an earlier life has left; `order` puts it where it belongs among what waits. */
    restore(messages: readonly Message[], order: Rearrangement): void;
    /** It ends here. */
    fail(message: Message, error: DeliveryError): void;
  };
  readonly dispatcher: {
    restored(messages: readonly RestoredMessage[]): void;
    report(error: HoldfastError): void;
  };
  readonly rooms: { get(room: string): { readonly wanted: boolean } };
  /** Runs `run` when nothing else is being done. */
  post(run: () => void): void;
  /** Messages are no longer held. */
  wake(): void;
}

/** Keeps messages in storage as long as they are open. */
export interface DurableOutbox {
  /** For the next message, to the server or to a room. */
  nextPlace(room: string | undefined): OutboxPlace;
  /** Holds a message until it is stored. Resolves when it is; rejects with `ERR_STORAGE` if it cannot be, and is sent all the same. */
  keep(message: Message, place: OutboxPlace): Promise<void>;
  /** Whether this one is, or may be, in storage. */
  has(message: Message): boolean;
  /** Whether a server may know this one, which waits: it was on the wire in an earlier session or life. */
  wasWritten(message: Message): boolean;
  /** What is kept from now on is of whoever comes with the next session, and not stored before that is known. */
  replaced(): void;
  /** A session stands: what waits may be written. */
  attached(session: DurableSession): void;
  /** This room is asked for: what has waited for that goes behind it, before what is said there from now on. */
  joining(join: Message): Rearrangement;
  /** There is no connection any more. */
  detached(): void;
  /** It was on the wire, and waits again, since its session is lost. */
  returned(message: Message): void;
  /** This message has ended. */
  settled(message: Message): void;
  /** Somebody else uses this client now, or nobody: what is stored stays there. */
  release(): void;
  /** Resolves when the store is closed, or has failed to. Never rejects. */
  close(): Promise<void>;
}

/** Makes durable outboxes; `@holdfast/client/storage` has some. */
export interface OutboxStorage {
  readonly name: string;
  open(client: DurableClient): DurableOutbox;
}
