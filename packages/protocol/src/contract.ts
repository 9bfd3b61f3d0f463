import type { ContractVersions } from './contract-version.js';
import { checkName } from './names.js';
import { numberOption } from './options.js';
import type { Schema, SchemaInput, SchemaOutput } from './schema.js';

/** Events by name. */
export type EventMap = { [name: string]: Schema };
/** Requests by name. */
export type RequestMap = { [name: string]: { input: Schema; output: Schema } };
// biome-ignore lint/complexity/noBannedTypes: an empty map must not have an index signature, or every name is allowed
type None = {};

/** One description of what both ends may say. Names may not begin with `$`; no name twice. */
export interface ContractDefinition<E, CE, SE, R, SR, St, P> {
  /** Raised on a breaking change; a whole number from 1, default 1. */
  version?: number;
  /** Oldest version of the other end that this end still understands; default `version`. */
  minVersion?: number;
  /** Either end may send; the only events that a client may publish in a room. */
  events?: E;
  /** Client to server only. */
  clientEvents?: CE;
  /** Server to client only. */
  serverEvents?: SE;
  /** The client asks, the server answers. */
  requests?: R;
  /** The server asks, the client answers. */
  serverRequests?: SR;
  /** The client asks, the server answers with a stream; `output` is one item of it. */
  streams?: St;
  /** What a member of a room tells the others about itself: `room.setPresence()`. Plain JSON, at most 1 KiB of it. */
  presence?: P;
}

/** What every contract holds, whatever its names. */
export interface AnyContract {
  readonly version: number;
  /** Types only, absent at run time. */
  readonly '~types': {
    clientSends: EventMap;
    serverSends: EventMap;
    roomSends: EventMap;
    clientAsks: RequestMap;
    serverAsks: RequestMap;
    streams: RequestMap;
    presence: Schema;
  };
}

/** Made by `defineContract`; `createClient<typeof chat>({ url })` uses the types alone and ships no schema. */
export interface Contract<
  E = EventMap,
  CE = None,
  SE = None,
  R = RequestMap,
  SR = RequestMap,
  St = RequestMap,
  P extends Schema = Schema,
> {
  readonly version: number;
  /** Types only, absent at run time. */
  readonly '~types': {
    clientSends: E & CE;
    serverSends: E & SE;
    roomSends: E;
    clientAsks: R;
    serverAsks: SR;
    streams: St;
    presence: P;
  };
}

/**
 * Gives a contract a short name for the editor's hovers:
 * `const def = defineContract(…); export interface Chat extends ContractType<typeof def> {}`.
 */
export type ContractType<C extends AnyContract> = C;

type Types<C extends AnyContract> = C['~types'];
/** Names of the events that a client sends. */
export type ClientEvent<C extends AnyContract> = string & keyof Types<C>['clientSends'];
/** Names of the events that the server sends. */
export type ServerEvent<C extends AnyContract> = string & keyof Types<C>['serverSends'];
/** Names of the events that a client may publish in a room. */
export type RoomEvent<C extends AnyContract> = string & keyof Types<C>['roomSends'];
/** Names of the requests that the server answers. */
export type Method<C extends AnyContract> = string & keyof Types<C>['clientAsks'];
/** Names of the requests that the client answers. */
export type ServerMethod<C extends AnyContract> = string & keyof Types<C>['serverAsks'];
/** Names of the requests that the server answers with a stream. */
export type StreamMethod<C extends AnyContract> = string & keyof Types<C>['streams'];

export type ClientEventInput<C extends AnyContract, K extends ClientEvent<C>> = SchemaInput<
  Types<C>['clientSends'][K]
>;
export type ClientEventOutput<C extends AnyContract, K extends ClientEvent<C>> = SchemaOutput<
  Types<C>['clientSends'][K]
>;
export type ServerEventInput<C extends AnyContract, K extends ServerEvent<C>> = SchemaInput<
  Types<C>['serverSends'][K]
>;
export type ServerEventOutput<C extends AnyContract, K extends ServerEvent<C>> = SchemaOutput<
  Types<C>['serverSends'][K]
>;
export type RoomEventInput<C extends AnyContract, K extends RoomEvent<C>> = SchemaInput<
  Types<C>['roomSends'][K]
>;
/** What the caller of a request passes. */
export type RequestInput<C extends AnyContract, K extends Method<C>> = SchemaInput<
  Types<C>['clientAsks'][K]['input']
>;
/** What the handler of a request gets. */
export type RequestInputOutput<C extends AnyContract, K extends Method<C>> = SchemaOutput<
  Types<C>['clientAsks'][K]['input']
>;
/** What the handler of a request returns. */
export type RequestOutputInput<C extends AnyContract, K extends Method<C>> = SchemaInput<
  Types<C>['clientAsks'][K]['output']
>;
/** What the caller of a request gets. */
export type RequestOutput<C extends AnyContract, K extends Method<C>> = SchemaOutput<
  Types<C>['clientAsks'][K]['output']
>;
/** A request of the server's, from call to result: what its caller passes, its handler gets and returns, its caller gets. */
export type ServerRequestInput<C extends AnyContract, K extends ServerMethod<C>> = SchemaInput<
  Types<C>['serverAsks'][K]['input']
>;
export type ServerRequestInputOutput<C extends AnyContract, K extends ServerMethod<C>> = SchemaOutput<
  Types<C>['serverAsks'][K]['input']
>;
export type ServerRequestOutputInput<C extends AnyContract, K extends ServerMethod<C>> = SchemaInput<
  Types<C>['serverAsks'][K]['output']
>;
export type ServerRequestOutput<C extends AnyContract, K extends ServerMethod<C>> = SchemaOutput<
  Types<C>['serverAsks'][K]['output']
>;
/** A stream: what its caller passes, what its handler gets and yields, what its caller gets, one by one. */
export type StreamInput<C extends AnyContract, K extends StreamMethod<C>> = SchemaInput<
  Types<C>['streams'][K]['input']
>;
export type StreamInputOutput<C extends AnyContract, K extends StreamMethod<C>> = SchemaOutput<
  Types<C>['streams'][K]['input']
>;
export type StreamOutputInput<C extends AnyContract, K extends StreamMethod<C>> = SchemaInput<
  Types<C>['streams'][K]['output']
>;
export type StreamOutput<C extends AnyContract, K extends StreamMethod<C>> = SchemaOutput<
  Types<C>['streams'][K]['output']
>;
/** What a member tells a room about itself: what it passes, and what the others get. */
export type PresenceInput<C extends AnyContract> = SchemaInput<Types<C>['presence']>;
export type Presence<C extends AnyContract> = SchemaOutput<Types<C>['presence']>;
/** An event's payload as its receiver gets it. */
export type EventPayload<
  C extends AnyContract,
  K extends string & keyof (Types<C>['clientSends'] & Types<C>['serverSends']),
> = SchemaOutput<(Types<C>['clientSends'] & Types<C>['serverSends'])[K]>;

/** `(payload, options?)`, or `(payload?, options?)` where the schema allows `undefined`. */
export type Arguments<P, O> = undefined extends P ? [payload?: P, options?: O] : [payload: P, options?: O];

/** The schemas of a contract, by direction; a contract's inside. */
export interface ContractSchemas {
  readonly versions: ContractVersions;
  readonly clientEvents: ReadonlyMap<string, Schema>;
  readonly serverEvents: ReadonlyMap<string, Schema>;
  readonly requests: ReadonlyMap<string, RequestSchemas>;
  readonly serverRequests: ReadonlyMap<string, RequestSchemas>;
  readonly streams: ReadonlyMap<string, RequestSchemas>;
  readonly presence: Schema | undefined;
}
export interface RequestSchemas {
  readonly input: Schema;
  readonly output: Schema;
}

/** Registered, so that two copies of this package in one program understand each other's contracts. */
const SCHEMAS = Symbol.for('holdfast.contract');

/**
 * Describes what both ends may say, in any Standard Schema library.
 *
 * Throws a `TypeError` that names the entry for a name that begins with `$`, stands twice or is longer than
 * 128 bytes, a value that is no schema, a group that does not exist, and a version that is no whole number from 1 or
 * below `minVersion`.
 */
export function defineContract<
  E extends EventMap = None,
  CE extends EventMap = None,
  SE extends EventMap = None,
  R extends RequestMap = None,
  SR extends RequestMap = None,
  St extends RequestMap = None,
  P extends Schema = Schema,
>(definition: ContractDefinition<E, CE, SE, R, SR, St, P>): Contract<E, CE, SE, R, SR, St, P> {
  const { version: given, minVersion, presence, ...groups } = definition;
  const version = numberOption(given, 'contract: version', 1, { min: 1, whole: true });
  const versions = [
    version,
    numberOption(minVersion, 'contract: minVersion', version, { min: 1, max: version, whole: true }),
  ] as const;
  const { events = {}, clientEvents = {}, serverEvents = {}, requests = {}, ...others } = groups;
  const { serverRequests = {}, streams = {}, ...rest } = others;
  for (const group of Object.keys(rest)) {
    const allowed =
      'version, minVersion, events, clientEvents, serverEvents, requests, serverRequests, streams, presence';
    throw new TypeError(`contract: unknown group '${group}'; allowed: ${allowed}`);
  }
  const names = new Set<string>();
  const named = (group: string, name: string): string => {
    checkName(name, `contract: ${group}`);
    if (names.has(name)) throw new TypeError(`contract: '${name}' stands twice; each name may stand once`);
    names.add(name);
    return name;
  };
  const collect = (group: string, map: EventMap): [string, Schema][] =>
    Object.entries(map).map(([name, schema]) => [
      named(group, name),
      checkSchema(schema, `${group}.${name}`),
    ]);
  const collectRequests = (group: string, map: RequestMap): Map<string, RequestSchemas> =>
    new Map(
      Object.entries(map).map(([name, { input, output }]) => [
        named(group, name),
        {
          input: checkSchema(input, `${group}.${name}.input`),
          output: checkSchema(output, `${group}.${name}.output`),
        },
      ]),
    );

  const both = collect('events', events);
  const schemas: ContractSchemas = {
    versions,
    clientEvents: new Map([...both, ...collect('clientEvents', clientEvents)]),
    serverEvents: new Map([...both, ...collect('serverEvents', serverEvents)]),
    requests: collectRequests('requests', requests as RequestMap),
    serverRequests: collectRequests('serverRequests', serverRequests as RequestMap),
    streams: collectRequests('streams', streams as RequestMap),
    presence: presence && checkSchema(presence, 'presence'),
  };
  return Object.freeze({ version, [SCHEMAS]: schemas }) as unknown as Contract<E, CE, SE, R, SR, St, P>;
}

/** The schemas of a contract made by `defineContract`; throws a `TypeError` for anything else. */
export function contractSchemas(contract: AnyContract): ContractSchemas {
  const schemas = (contract as { [SCHEMAS]?: ContractSchemas } | null)?.[SCHEMAS];
  if (!schemas) throw new TypeError('contract: must be made by defineContract()');
  return schemas;
}

function checkSchema(schema: Schema, where: string): Schema {
  if (typeof schema?.['~standard']?.validate !== 'function') {
    throw new TypeError(`contract: ${where} is not a Standard Schema (https://standardschema.dev)`);
  }
  return schema;
}
