import type { Delivery, Outgoing } from '@holdfast/protocol';
import type { UndeliveredMessage } from '../types.js';

/** A message of the application on its way out, from `send` or `request` until its outcome is known. */
export interface Message extends Outgoing, UndeliveredMessage {
  readonly bytes: number;
  readonly delivery: Delivery;
  /** The place of a `latest` one in the outbox: a newer one takes it. */
  readonly place?: string | undefined;
  /** Not written by then: it expires. `Infinity`: never. */
  readonly expiresAt: number;
  /** No answer by then: it times out. `Infinity`: never. */
  readonly deadlineAt: number;
  /** When it was put on the wire; undefined while it waits. */
  writtenAt: number | undefined;
  /** Tells the caller how it ended. */
  resolve(value: unknown): void;
  reject(error: Error): void;
}
