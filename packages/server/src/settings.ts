import {
  type AnyContract,
  type Codec,
  type ContractSchemas,
  checkKeys,
  checkType,
  contractSchemas,
  json,
  type Logger,
  numberOption,
} from '@holdfast/protocol';
import type { Authenticate, HeartbeatOptions, LimitOptions, ServerOptions, User } from './types.js';

/** Options, checked, with every default filled in. */
export interface ServerSettings {
  readonly schemas: ContractSchemas | undefined;
  readonly auth: Authenticate<User> | undefined;
  /** Undefined: those of the attached server itself. */
  readonly origins: ReadonlySet<string> | undefined;
  /** In order of preference. */
  readonly codecs: readonly [Codec, ...Codec[]];
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  readonly maxRooms: number;
  readonly maxBufferedBytes: number;
  readonly logger: Logger;
}

type Keys<O> = { readonly [K in keyof Required<O>]: true };
const keysOf = <O>(keys: Keys<O>): readonly string[] => Object.keys(keys);

const SERVER_KEYS = keysOf<ServerOptions>({
  contract: true,
  auth: true,
  origins: true,
  codecs: true,
  heartbeat: true,
  limits: true,
  logger: true,
});
const HEARTBEAT_KEYS = keysOf<HeartbeatOptions>({ intervalMs: true });
const LIMIT_KEYS = keysOf<LimitOptions>({ maxMessageBytes: true, maxRooms: true, maxBufferedBytes: true });

/** Throws a `TypeError` that names the option, the rule and the value. */
export function resolveOptions<C extends AnyContract, U extends User>(
  options: ServerOptions<C, U>,
  defaults: { readonly logger: Logger },
): ServerSettings {
  checkKeys(options, SERVER_KEYS, 'createHoldfastServer(options)');
  const { contract, auth, origins, codecs = [json()], heartbeat = {}, limits = {} } = options;
  checkType(auth, 'function', 'auth');
  checkKeys(heartbeat, HEARTBEAT_KEYS, 'heartbeat');
  checkKeys(limits, LIMIT_KEYS, 'limits');
  const [preferred, ...others] = codecs;
  if (!preferred) throw new TypeError('codecs must hold at least one codec');
  return {
    schemas: contract === undefined ? undefined : contractSchemas(contract),
    auth,
    origins: origins === undefined ? undefined : new Set(origins.map(checkOrigin)),
    codecs: [preferred, ...others],
    heartbeatMs: numberOption(heartbeat.intervalMs, 'heartbeat.intervalMs', 20_000, { min: 10, whole: true }),
    maxMessageBytes: numberOption(limits.maxMessageBytes, 'limits.maxMessageBytes', 1_048_576, {
      min: 1024,
      whole: true,
    }),
    maxRooms: numberOption(limits.maxRooms, 'limits.maxRooms', 128, { whole: true }),
    maxBufferedBytes: numberOption(limits.maxBufferedBytes, 'limits.maxBufferedBytes', 1_048_576, {
      min: 1024,
    }),
    logger: options.logger ?? defaults.logger,
  };
}

function checkOrigin(origin: string): string {
  const whole = URL.canParse(origin) ? new URL(origin).origin : undefined;
  if (whole === origin && whole !== 'null') return origin;
  throw new TypeError(`origins: '${origin}' is not an exact origin, such as https://example.com`);
}
