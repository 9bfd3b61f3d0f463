import type { Codec, ContractSchemas, Logger } from '@holdfast/protocol';
import type { ConnectionSettings } from '../core/connection.js';

/** Options, checked, with every default filled in. */
export interface ClientSettings extends ConnectionSettings {
  readonly url: string;
  readonly schemas: ContractSchemas | undefined;
  readonly auth: string | undefined;
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
