import type { Logger } from '@holdfast/protocol';
import type { Observer } from './observer.js';
import { shown } from './shown.js';

/** What failed, and for whom. */
export interface FailedAt {
  readonly name: string;
  readonly sessionId?: string | undefined;
}

/**
 * Lines of a name and its fields, for a logger that the application has given. They hold ids, never a token or a
 * payload. What may come from a client is escaped and cut, the id of a session too: a client may ask for any.
 */
export function logLines(logger: Logger): Observer {
  return {
    greeted: ({ sessionId, verdict, ms }) =>
      logger.info('session-attached', { sessionId: shown(sessionId), verdict, ms: Math.round(ms) }),
    detached: ({ sessionId, code, reason }) =>
      logger.info('session-detached', { sessionId, code, reason: shown(reason) }),
    ended: (what) => logger.info('session-ended', what),
    refused: ({ code, address }) => logger.info('connection-refused', { code, address: shown(address) }),
    limited: (what) => logger.debug('limited', what),
    rejected: ({ sessionId, name, code }) =>
      logger.debug('message-rejected', { sessionId, name: shown(name), code }),
    dropped: (what) => logger.debug('messages-dropped', what),
    storeChanged: (what) => {
      if (what.state === 'well') logger.info('store-well', { ms: Math.round(what.ms) });
      else logger.warn('store-degraded', { reason: what.reason, operation: what.operation });
    },
  };
}

/** How a failure is told to a logger of the application's, unless `onError` has taken it. */
export function logFailure(logger: Logger, err: unknown, { name, sessionId }: FailedAt): void {
  logger.error('failed', { name: shown(name), sessionId, err });
}

/** The console, for whoever gives no logger: failures only, in words. */
export function inWords({ error }: Pick<Logger, 'error'>, err: unknown, { name }: FailedAt): void {
  error(`Holdfast: '${shown(name)}' failed`, err);
}

/** One that throws stops nothing, and there is nobody left to tell. */
export function harmless(logger: Logger): Logger {
  const saying =
    (level: keyof Logger): Logger['error'] =>
    (...values) => {
      try {
        logger[level](...values);
      } catch {}
    };
  return { debug: saying('debug'), info: saying('info'), warn: saying('warn'), error: saying('error') };
}

/** Says nothing but warnings and errors. */
export function onlyTrouble(logger: Logger): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...values) => logger.warn(...values),
    error: (...values) => logger.error(...values),
  };
}
