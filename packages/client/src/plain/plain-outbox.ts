import { holdfastError, type WireData } from '@holdfast/protocol';

/** A socket of the platform takes blobs, too. */
export type PlainData = WireData | Blob;

export interface PlainOutboxSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly overflow: 'reject' | 'drop-oldest';
}

/** What waits for a connection, within bounds. */
export class PlainOutbox {
  readonly #settings: PlainOutboxSettings;
  /** By their numbers: of a long array, all that stay are moved up with each that goes. */
  readonly #waiting = new Map<number, { readonly data: PlainData; readonly bytes: number }>();
  #first = 0;
  bytes = 0;

  constructor(settings: PlainOutboxSettings) {
    this.#settings = settings;
  }

  /** Throws `ERR_OUTBOX_FULL` where it may drop nothing, or that would not help. */
  push(data: PlainData): void {
    const { maxMessages, maxBytes, overflow } = this.#settings;
    const bytes = sizeOf(data);
    const isFull = (): boolean => this.#waiting.size >= maxMessages || this.bytes + bytes > maxBytes;
    if (overflow === 'drop-oldest' && bytes <= maxBytes) while (isFull()) this.shift();
    if (isFull()) {
      const text = `not taken: ${bytes} bytes, and ${this.#waiting.size} messages (${this.bytes} bytes) wait`;
      throw holdfastError('ERR_OUTBOX_FULL', text, { delivery: 'unsent', messageId: '' });
    }
    this.#waiting.set(this.#first + this.#waiting.size, { data, bytes });
    this.bytes += bytes;
  }

  shift(): PlainData | undefined {
    const first = this.#waiting.get(this.#first);
    if (!first) return undefined;
    this.#waiting.delete(this.#first++);
    this.bytes -= first.bytes;
    return first.data;
  }
}

function sizeOf(data: PlainData): number {
  if (typeof data === 'string') return new TextEncoder().encode(data).length;
  return 'size' in data ? data.size : data.length;
}
