import type { Codec, Delivery, Logger, Scopes } from '@holdfast/protocol';
import type { ConnectionSettings } from '../core/connection.js';
import type { OutboxStorage } from '../core/types.js';
import type { TokenSource } from '../types.js';

/** Options, checked, with every default filled in. */
export interface ClientSettings extends ConnectionSettings {
  /** Where to dial; a function gives a checked address for each attempt, or rejects. */
  readonly url: string | ((context: { readonly attempt: number }) => Promise<string>);
  readonly scopes: Scopes;
  readonly auth: TokenSource | undefined;
  readonly tokenIn: 'hello' | 'subprotocol';
  readonly autoConnect: boolean;
  readonly codec: Codec;
  /** By event, where the application has said so. */
  readonly delivery: ReadonlyMap<string, Delivery>;
  readonly outbox: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    readonly ttlMs: number;
    readonly overflow: 'reject' | 'wait' | 'drop-oldest';
    readonly storage: OutboxStorage | undefined;
  };
  readonly logger: Logger;
}
