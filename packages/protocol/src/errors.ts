import type { SchemaIssue } from './schema.js';

interface Failure<Code extends string> extends Error {
  readonly name: 'HoldfastError';
  /** Stable: programs may depend on it. The message is for people and may change. */
  readonly code: Code;
  /** True if the same thing may succeed later without a change. */
  readonly retryable: boolean;
  readonly cause?: unknown;
}
/**
 * How a message that was not acknowledged ended.
 * `unsent`: it will not arrive. `unknown`: it may have arrived. `rejected`: the other end said no.
 */
export type DeliveryFate = 'unsent' | 'unknown' | 'rejected';
interface SendFailure<Code extends string, D extends DeliveryFate> extends Failure<Code> {
  readonly delivery: D;
  /** Id of the message, as in `Sending.id`. */
  readonly messageId: string;
}
// One union member for each code, or `Extract` finds none.
type Each<Code extends string> = Code extends string ? Failure<Code> : never;
type EachSend<Code extends string, D extends DeliveryFate> = Code extends string
  ? SendFailure<Code, D>
  : never;

interface TooBigError extends SendFailure<'ERR_TOO_BIG', 'unsent'> {
  readonly maxBytes: number;
}
interface InvalidPayloadError extends SendFailure<'ERR_INVALID_PAYLOAD', 'unsent' | 'rejected'> {
  readonly issues: readonly SchemaIssue[];
}
interface RejectedError extends SendFailure<'ERR_REJECTED', 'rejected'> {
  /** The word given to `RejectError` by the other end. */
  readonly reason: string;
  readonly data?: unknown;
}
interface RateLimitedError extends SendFailure<'ERR_RATE_LIMITED', 'rejected'> {
  /** When the other end would take it, ms from then. */
  readonly retryAfterMs: number;
}

/** The connection did not come about, or was lost. */
export type ConnectError =
  | Each<
      | 'ERR_DIAL_FAILED'
      | 'ERR_DIAL_TIMEOUT'
      | 'ERR_WELCOME_TIMEOUT'
      | 'ERR_CONNECTION_LOST'
      | 'ERR_GAVE_UP'
      | 'ERR_SUPERSEDED'
    >
  | BusyError
  | SessionEndedError;
interface BusyError extends Failure<'ERR_SERVER_BUSY'> {
  /** When the server wants to be asked again, ms from then. */
  readonly retryAfterMs: number;
}
interface SessionEndedError extends Failure<'ERR_SESSION_ENDED'> {
  /** The word given to `session.end()`. */
  readonly reason: string;
}
interface AuthRefusedError extends Failure<'ERR_AUTH_REFUSED'> {
  /** The word given to `RejectError` by the server's `auth`. */
  readonly reason: string;
}
/** The server does not let this user in. */
export type AuthError = AuthRefusedError | Each<'ERR_AUTH_EXPIRED' | 'ERR_TOKEN_SOURCE'>;
/** One end does not speak the protocol, or another version of it. */
export type ProtocolError = Each<'ERR_PROTOCOL' | 'ERR_PROTOCOL_VERSION'> | ContractVersionError;
/** Client and server were built for versions of the contract that do not fit. A page can ask to be loaded again. */
interface ContractVersionError extends Failure<'ERR_CONTRACT_VERSION'> {
  /** Version of the server's contract. */
  readonly serverVersion: number;
}
/** A message was not delivered; `delivery` tells what is known. */
export type DeliveryError =
  | EachSend<'ERR_OUTBOX_FULL' | 'ERR_EXPIRED' | 'ERR_NOT_JOINED', 'unsent'>
  | TooBigError
  | InvalidPayloadError
  | EachSend<'ERR_TIMEOUT' | 'ERR_CLOSED', 'unsent' | 'unknown'>
  | EachSend<'ERR_SESSION_LOST' | 'ERR_STREAM_LOST' | 'ERR_STORE_LOST', 'unknown'>
  | RejectedError
  | EachSend<'ERR_NO_HANDLER' | 'ERR_HANDLER_FAILED', 'rejected'>
  | RateLimitedError;
/** Something failed at this end: code of the application, or its storage. */
export type LocalError = Each<'ERR_LISTENER_FAILED' | 'ERR_NO_LISTENER' | 'ERR_STORAGE'>;
/** Every error of Holdfast, told apart by `code`. */
export type HoldfastError = ConnectError | AuthError | ProtocolError | DeliveryError | LocalError;
export type ErrorCode = HoldfastError['code'];
/** The error of one code. */
export type ErrorOf<Code extends ErrorCode> = Extract<HoldfastError, { code: Code }>;

/** Codes of what will not succeed later without a change. */
const FINAL = [
  'ERR_SUPERSEDED',
  'ERR_SESSION_ENDED',
  'ERR_AUTH_REFUSED',
  'ERR_PROTOCOL_VERSION',
  'ERR_CONTRACT_VERSION',
  'ERR_NOT_JOINED',
  'ERR_TOO_BIG',
  'ERR_INVALID_PAYLOAD',
  'ERR_CLOSED',
  'ERR_REJECTED',
  'ERR_NO_HANDLER',
  'ERR_HANDLER_FAILED',
  'ERR_LISTENER_FAILED',
  'ERR_NO_LISTENER',
] as const satisfies readonly ErrorCode[];

/** Codes of what may. */
const RETRYABLE = [
  'ERR_DIAL_FAILED',
  'ERR_DIAL_TIMEOUT',
  'ERR_WELCOME_TIMEOUT',
  'ERR_CONNECTION_LOST',
  'ERR_GAVE_UP',
  'ERR_SERVER_BUSY',
  'ERR_AUTH_EXPIRED',
  'ERR_TOKEN_SOURCE',
  'ERR_PROTOCOL',
  'ERR_OUTBOX_FULL',
  'ERR_EXPIRED',
  'ERR_TIMEOUT',
  'ERR_SESSION_LOST',
  'ERR_STREAM_LOST',
  'ERR_STORE_LOST',
  'ERR_RATE_LIMITED',
  'ERR_STORAGE',
] as const satisfies readonly ErrorCode[];

type Listed = (typeof FINAL | typeof RETRYABLE)[number];
/** Every code there is: the compiler misses none. */
export const ERROR_CODES: readonly (ErrorCode extends Listed ? ErrorCode : never)[] = /* @__PURE__ */ [
  FINAL,
  RETRYABLE,
].flat();

/** Registered, so that errors are known across realms and across copies of this package. */
const BRAND = Symbol.for('holdfast.error');

type Details<Code extends ErrorCode> = Omit<ErrorOf<Code>, keyof Failure<Code>> & { cause?: unknown };

/** Makes the error of one code. The compiler asks for just the details that this code has. */
export function holdfastError<Code extends ErrorCode>(
  code: Code,
  message: string,
  ...[details]: Record<never, never> extends Details<Code>
    ? [details?: Details<Code>]
    : [details: Details<Code>]
): ErrorOf<Code> {
  const own = { name: 'HoldfastError', code, retryable: !(FINAL as readonly ErrorCode[]).includes(code) };
  return Object.assign(new Error(message), own, { [BRAND]: true }, details) as Error as ErrorOf<Code>;
}

/**
 * Tells errors of Holdfast from others; with a code, narrows to it: `if (isHoldfastError(e, 'ERR_REJECTED')) e.reason`.
 * Works across realms and copies of the package (by a brand, not by `instanceof`).
 */
export function isHoldfastError(value: unknown): value is HoldfastError;
export function isHoldfastError<Code extends ErrorCode>(value: unknown, code: Code): value is ErrorOf<Code>;
export function isHoldfastError(value: unknown, code?: ErrorCode): boolean {
  const branded = typeof value === 'object' && value !== null && BRAND in value;
  return branded && (code === undefined || (value as unknown as HoldfastError).code === code);
}

const REJECT_BRAND = Symbol.for('holdfast.reject');

/**
 * Throw it in a handler, rule or `auth` to refuse: the other end gets `ERR_REJECTED` with `reason` and `data`.
 * Any other error reaches it as `ERR_HANDLER_FAILED`, without its text.
 */
export class RejectError extends Error {
  override readonly name = 'RejectError';
  /** A word that programs may depend on, such as `not-a-member`. */
  readonly reason: string;
  /** Anything that the codec can encode. */
  readonly data?: unknown;
  declare readonly [REJECT_BRAND]: true;

  constructor(reason: string, options: { message?: string; data?: unknown } = {}) {
    super(options.message ?? reason);
    this.reason = reason;
    this.data = options.data;
    // Not as a field with a computed name, which bundlers keep where nobody uses the class.
    Object.assign(this, { [REJECT_BRAND]: true });
  }
}

/** As `isHoldfastError`, for `RejectError`. */
export function isRejectError(value: unknown): value is RejectError {
  return typeof value === 'object' && value !== null && REJECT_BRAND in value;
}
