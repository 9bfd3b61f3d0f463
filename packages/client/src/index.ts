/** The client of Holdfast: `createClient` for browsers, workers and Node. */
import type { AnyContract, Contract } from '@holdfast/protocol';
import { createClientOn } from './client.js';
import { systemPorts } from './platform/common/ports.js';
import type { ClientOptions, HoldfastClient } from './types.js';

/** Dials nothing until `connect()`. Throws a `TypeError` that names the option, the rule and the value. */
export function createClient<C extends AnyContract = Contract>(options: ClientOptions<C>): HoldfastClient<C> {
  return createClientOn(systemPorts(), options);
}

export {
  type AnyContract,
  type AuthError,
  type CallOptions,
  type Codec,
  type ConnectError,
  type Contract,
  type ContractType,
  type Delivery,
  type DeliveryError,
  defineContract,
  type ErrorCode,
  type EventMeta,
  type EventPayload,
  type HoldfastError,
  isHoldfastError,
  json,
  type ListenOptions,
  type LocalError,
  type Logger,
  type Member,
  type MessageOptions,
  type Presence,
  type ProtocolError,
  type Receipt,
  RejectError,
  type RequestInput,
  type RequestOutput,
  type Schema,
  type SchemaIssue,
  type Sending,
  type SendOptions,
  type ServerEvent,
  type ServerEventOutput,
  type Unsubscribe,
} from '@holdfast/protocol';
export type * from './types.js';
