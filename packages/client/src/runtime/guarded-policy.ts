import type { ConnectionSettings } from '../core/connection.js';

type Reconnect = ConnectionSettings['reconnect'];

/** The application's policy: one that throws or returns nonsense is told, and leaves the delay to us. */
export function guardedPolicy(
  { policy, ...reconnect }: Reconnect,
  failed: (error: unknown) => void,
): Reconnect {
  if (!policy) return reconnect;
  return {
    ...reconnect,
    policy: (context) => {
      try {
        const delay = policy(context);
        if (delay === null || (typeof delay === 'number' && delay >= 0 && delay < Infinity)) return delay;
        throw new TypeError(`it must give ms from 0 on, or null, not ${String(delay)}`);
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
  };
}
