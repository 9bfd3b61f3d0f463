/** The reference server of Holdfast: `createHoldfastServer`, attached to the http server of an application. */
import type { AnyContract, Contract } from '@holdfast/protocol';
import type { ServerOptions } from './options.js';
import { systemClock, systemDigest, systemRandom } from './platform/system.js';
import { createServerOn } from './server.js';
import type { HoldfastServer } from './server-types.js';
import type { User } from './types.js';

/**
 * Serves nobody until `attach` or `listen`. Not `createServer`: every file that uses it imports that name from
 * `node:http`. Throws a `TypeError` that names the option, the rule and the value.
 */
export function createHoldfastServer<C extends AnyContract = Contract, U extends User = User>(
  options?: ServerOptions<C, U>,
): HoldfastServer<C, U> {
  const ports = { clock: systemClock, random: systemRandom, digest: systemDigest, logger: console };
  return createServerOn(ports, options).server;
}

export {
  type AnyContract,
  type CallOptions,
  type Codec,
  type Contract,
  type ContractType,
  type DeliveryError,
  defineContract,
  type ErrorCode,
  type EventMeta,
  type EventPayload,
  type HoldfastError,
  isHoldfastError,
  json,
  type Logger,
  type MessageOptions,
  type PayloadCodecOptions,
  type PayloadInfo,
  type Presence,
  payloadCodec,
  type Receipt,
  RejectError,
  type Schema,
  type SchemaIssue,
  type Sending,
  type Unsubscribe,
} from '@holdfast/protocol';
export type { Observer } from './observe/observer.js';
export type { Operations, OperationsOptions } from './observe/operations.js';
export type * from './options.js';
export type { Cluster } from './ports/cluster.js';
export type * from './server-types.js';
export type * from './types.js';
