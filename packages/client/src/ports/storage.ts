import type { OutboxPlace, WireData } from '@holdfast/protocol';

/** Where durable messages lie, such as an IndexedDB or a file. Several clients may share it, in tabs or processes. */
export interface OutboxStore {
  /** Names it in errors. */
  readonly name: string;
  /** Opens the part of one user. Rejects if it cannot be had. */
  open(userId: string): Promise<OpenOutbox>;
}

/**
 * The messages of one user that this client has in its hands: no other one sends them as long as it is open. `place` tells
 * one message from another; its `id` is the application's, which may use it twice.
 */
export interface OpenOutbox {
  /** What was wrong with it when it was opened, such as that a part of it is lost; the application is told. */
  readonly damage?: string | undefined;
  /** Takes over what clients that are gone have left behind, and is not in these hands already; the oldest first. */
  adopt(): Promise<readonly StoredMessage[]>;
  /** Adds messages, or replaces those of the same place, where they stand. When it resolves, they outlast a crash. All of them or none. */
  put(messages: readonly StoredMessage[]): Promise<void>;
  /** Places where nothing is are no mistake. */
  remove(places: readonly OutboxPlace[]): Promise<void>;
  /** Lets go of them; whoever opens the store next may adopt them. Called once, when the other calls have ended. */
  close(): Promise<void>;
}

/** One durable message, as it lies there. */
export interface StoredMessage {
  readonly id: string;
  readonly event: string;
  readonly room?: string | undefined;
  /** By the clock of this device, ms since 1970. */
  readonly sentAt: number;
  /** Not written by then: it expires. By the clock of this device, ms since 1970; absent: never. */
  readonly expiresAt?: number | undefined;
  /** Name of the codec by which it is encoded. */
  readonly codec: string;
  /** An EVT item. */
  readonly encoded: WireData;
  readonly place: OutboxPlace;
  /** When it was, or may have been, written first: in which epoch, when by the server's clock. Absent: never. */
  readonly written?: { readonly epoch: string; readonly at: number } | undefined;
}
