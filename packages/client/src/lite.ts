/**
 * The small client: `createClient` with what most pages need, for whom every kilobyte counts. The same promise, the same
 * servers, the same words as the whole client.
 */
import type { AnyContract, Contract } from '@holdfast/protocol';
import { createLiteClientOn } from './lite/client.js';
import type { LiteClient, LiteOptions } from './lite/types.js';
import { systemPorts } from './platform/common/ports.js';

/** Dials nothing until `connect()`. Throws a `TypeError` for a `url` that is no address. */
export function createClient<C extends AnyContract = Contract>(options: LiteOptions): LiteClient<C> {
  return createLiteClientOn(systemPorts(), options);
}

export type * from './lite/types.js';
