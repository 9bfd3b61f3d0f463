/**
 * Close codes of a WebSocket connection (RFC 6455 section 7.4; 3000 and up from the IANA registry, 4000 and up
 * our own). They are only hints: what matters was said in band before, by BYE or ERR, since proxies invent codes
 * and browsers hide them.
 */
export const CloseCode = {
  /** After BYE: the session has ended. Without BYE: the connection was lost. */
  NORMAL: 1000,
  GOING_AWAY: 1001,
  WRONG_DATA: 1003,
  /** No closing handshake. Never sent, only reported. */
  ABNORMAL: 1006,
  TOO_BIG: 1009,
  INTERNAL_ERROR: 1011,
  RESTART: 1012,
  /** The server cannot take anybody in at the moment. */
  TRY_AGAIN_LATER: 1013,
  /** The token has expired; the session waits for a client with a fresh one (IANA: Unauthorized). */
  UNAUTHORIZED: 3000,
  /** The server does not let this user in (IANA: Forbidden). */
  FORBIDDEN: 3003,
  /** A deadline passed (IANA: Timeout). */
  TIMEOUT: 3008,
  BAD_FRAME: 4400,
  /** The session is gone: begin another. */
  SESSION_LOST: 4401,
  SLOW_CONSUMER: 4408,
  GAP: 4409,
  /** Another connection has taken over the session. */
  SUPERSEDED: 4410,
  /** Too much in too little time; the reason may say how long to wait, as `ra=<ms>`. */
  RATE_LIMITED: 4429,
} as const;
