import {
  type ByeItem,
  CloseCode,
  type HoldfastError,
  holdfastError,
  type TransportEnd,
} from '@holdfast/protocol';

/** Close codes for a fault of one of the two ends: once may be chance, twice is not. */
export const FAULTS: readonly number[] = [
  1002,
  CloseCode.WRONG_DATA,
  1007,
  CloseCode.TOO_BIG,
  CloseCode.BAD_FRAME,
];

/** What a failure does to the connection. */
export type Consequence = 'retry' | 'renew-token' | 'needs-auth' | 'fail';

/** The one place that decides what each error does to the connection. */
export function consequenceOf(error: HoldfastError): Consequence {
  switch (error.code) {
    case 'ERR_AUTH_EXPIRED':
      return 'renew-token';
    case 'ERR_AUTH_REFUSED':
      return 'needs-auth';
    case 'ERR_PROTOCOL_VERSION':
    case 'ERR_CONTRACT_VERSION':
    case 'ERR_GAVE_UP':
    case 'ERR_SUPERSEDED':
    case 'ERR_SESSION_ENDED':
      return 'fail';
    default:
      return 'retry';
  }
}

/** Whatever else it is, the token that was shown is not to be shown again. */
export const isRetried = (error: HoldfastError): boolean => consequenceOf(error) === 'retry';

/** How long the server asks to wait, if it does. */
export const retryAfterOf = (error: HoldfastError): number | undefined =>
  'retryAfterMs' in error ? error.retryAfterMs : undefined;

/** What a BYE of the server means. */
export function errorOfBye([, code, message, serverVersion = 0]: ByeItem): HoldfastError {
  switch (code) {
    case 'ERR_AUTH_REFUSED':
      return authRefused(message);
    case 'ERR_AUTH_EXPIRED':
      return authExpired(message);
    case 'ERR_SESSION_ENDED':
      return holdfastError(code, `the server has ended this session: ${message}`, { reason: message });
    case 'ERR_PROTOCOL_VERSION':
      return holdfastError(code, message);
    case 'ERR_CONTRACT_VERSION':
      return holdfastError(code, message, { serverVersion });
    case 'ERR_PROTOCOL':
      return holdfastError(code, `${FAULT_FOUND}: ${message}`);
    default:
      return holdfastError('ERR_CONNECTION_LOST', `the server ended the connection: ${code} ${message}`);
  }
}

/** What the end of a socket means where nothing was said in band before. */
export function errorOfEnd({ code, reason, cause }: TransportEnd, opened: boolean): HoldfastError {
  const said = cause instanceof Error ? cause.message : reason;
  const why = `${said && `: ${said}`} (code ${code})`;
  const details = cause === undefined ? {} : { cause };
  if (!opened) return holdfastError('ERR_DIAL_FAILED', `could not connect${why}`, details);
  const [, retryAfterMs] = /^ra=(\d{1,9})$/.exec(reason) ?? [];
  if (retryAfterMs) {
    const text = `the server asks to wait ${retryAfterMs} ms (code ${code})`;
    return holdfastError('ERR_SERVER_BUSY', text, { retryAfterMs: Number(retryAfterMs) });
  }
  if (code === CloseCode.FORBIDDEN) return authRefused(reason);
  if (code === CloseCode.UNAUTHORIZED) return authExpired(reason);
  if (code === CloseCode.SUPERSEDED) {
    return holdfastError('ERR_SUPERSEDED', 'another connection has taken over this session');
  }
  return FAULTS.includes(code)
    ? holdfastError('ERR_PROTOCOL', FAULT_FOUND + why, details)
    : holdfastError('ERR_CONNECTION_LOST', `the connection was lost${why}`, details);
}

const FAULT_FOUND = 'the server found a fault in what it got';

const authRefused = (reason: string): HoldfastError =>
  holdfastError('ERR_AUTH_REFUSED', `the server refused the token: ${reason}`, { reason });

const authExpired = (reason: string): HoldfastError =>
  holdfastError('ERR_AUTH_EXPIRED', reason || 'the token has expired');
