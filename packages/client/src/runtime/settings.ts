import type { Codec, ContractSchemas, Logger } from '@holdfast/protocol';
import type { ConnectionSettings } from '../core/connection.js';
import type { TokenSource } from '../types.js';

/** Options, checked, with every default filled in. */
export interface ClientSettings extends ConnectionSettings {
  /** Where to dial; a function gives a checked address for each attempt, or rejects. */
  readonly url: string | ((context: { readonly attempt: number }) => Promise<string>);
  readonly schemas: ContractSchemas | undefined;
  readonly auth: TokenSource | undefined;
  readonly tokenIn: 'hello' | 'subprotocol';
  readonly autoConnect: boolean;
  readonly codec: Codec;
  readonly outbox: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    readonly ttlMs: number;
    readonly overflow: 'reject' | 'wait';
  };
  readonly logger: Logger;
}
