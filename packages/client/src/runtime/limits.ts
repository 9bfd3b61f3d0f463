import type { Welcome } from '@holdfast/protocol';

/** What the server lets us do. */
export interface Limits {
  readonly messages: number;
  readonly bytes: number;
  /** Largest message, bytes. */
  readonly message: number;
  /** Most requests without an answer. */
  readonly requests: number;
}

/** How much the server may have unacknowledged on the way to us: messages, bytes. */
export const WINDOW = [1_000, 1_048_576] as const;

/** What a frame adds to its items: two numbers, brackets and commas. */
const FRAME_OVERHEAD = 64;

export const limitsOf = ({
  w: [messages, bytes],
  m,
  o: requests,
}: Pick<Welcome, 'w' | 'm' | 'o'>): Limits => ({
  messages,
  bytes,
  requests,
  message: m - FRAME_OVERHEAD,
});
