import { type PresenceRequest, RejectError, type Scopes } from '@holdfast/protocol';
import type { PresenceState } from '../ports/store.js';
import { sizeOf } from '../size-of.js';
import { checkPayload, Refusal } from './payload.js';

/** Most of what a member tells about itself; bytes of its JSON. */
const MAX_BYTES = 1_024;

/**
 * What a member tells about itself, as the store keeps it and the others get it: JSON, whatever they speak. Throws a
 * refusal.
 */
export function presenceState(
  scopes: Scopes,
  { room, presence }: PresenceRequest,
  setAt: number,
): PresenceState {
  checkPayload(scopes.of(room)?.schemas?.presence, presence);
  const json = textOf(presence);
  if (json !== undefined && sizeOf(json) > MAX_BYTES) throw new RejectError('presence-too-large');
  return { json, setAt };
}

function textOf(presence: unknown): string | undefined {
  try {
    return JSON.stringify(presence);
  } catch (cause) {
    const { message } = cause as TypeError;
    throw new Refusal('ERR_INVALID_PAYLOAD', message, [{ message }]);
  }
}
