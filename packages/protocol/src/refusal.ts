import { type DeliveryError, holdfastError } from './errors.js';
import type { ErrorItem } from './frame.js';
import type { SchemaIssue } from './schema.js';

/** How much of a reason an ERR says, in UTF-16 code units; the rest stands in its data. */
export const MAX_REASON = 4_096;

/** The error that a refusal by the other end (ERR), or a stream that broke off, becomes for the one who sent. */
export function refusal(
  [, , code, text, data]: ErrorItem,
  { id, event, room }: { id: string; event: string; room?: string | undefined },
): DeliveryError {
  const details = { delivery: 'rejected', messageId: id } as const;
  const where = room === undefined ? '' : ` in room '${room}'`;
  const why = `'${event}'${where} was refused: ${text}`;
  switch (code) {
    case 'ERR_INVALID_PAYLOAD':
      return holdfastError(code, why, {
        ...details,
        issues: Array.isArray(data) ? data.filter(isIssue) : [],
      });
    case 'ERR_NO_HANDLER':
      return holdfastError(code, why, details);
    case 'ERR_REJECTED':
      return holdfastError(code, why, { ...details, reason: text, data });
    case 'ERR_RATE_LIMITED': {
      const ms = (data as { readonly retryAfterMs?: unknown } | null | undefined)?.retryAfterMs;
      return holdfastError(code, why, { ...details, retryAfterMs: typeof ms === 'number' ? ms : 0 });
    }
    case 'ERR_STREAM_LOST':
      return holdfastError(code, `'${event}' broke off: ${text}`, { ...details, delivery: 'unknown' });
    default:
      // Also for codes that a newer server may have.
      return holdfastError('ERR_HANDLER_FAILED', `the handler of '${event}' failed: ${text}`, details);
  }
}

const isIssue = (issue: SchemaIssue | null): issue is SchemaIssue => typeof issue?.message === 'string';
