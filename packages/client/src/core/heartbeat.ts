/**
 * Liveness of one connection. Any frame is a sign of life; silence, or an ack that does not come, is answered with
 * a ping, and a ping that stays unanswered means that the connection is dead, whatever the socket says of itself.
 */
export interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly maxMissed: number;
  /** When the last frame came. */
  readonly heardAt: number;
  /** When the ping was written that has no pong yet; for the round-trip time. */
  readonly pingedAt?: number | undefined;
  /** When the ping counts as missed; absent while nothing is asked. */
  readonly deadlineAt?: number | undefined;
  /** Why it was asked; absent with `deadlineAt`. */
  readonly asked?: Asked | undefined;
  /** When the last pong came. */
  readonly answeredAt: number;
  readonly missed: number;
  readonly rttMs?: number | undefined;
}

/**
 * What made us ask: nothing in particular; a silence, or a platform that woke up, which any frame ends; or an ack that
 * does not come, for which only a pong will do: what comes down says nothing of the way up.
 */
export type Asked = 'routine' | 'silence' | 'wake' | 'ack';

export type HeartbeatNeed = 'nothing' | 'ping' | 'give-up';

/** A timer that comes later than this was throttled or slept through: no proof against the connection. */
const LATE_MS = 2_000;

export function startHeartbeat(
  settings: Pick<Heartbeat, 'intervalMs' | 'timeoutMs' | 'maxMissed' | 'rttMs'>,
  now: number,
): Heartbeat {
  return { ...settings, heardAt: now, answeredAt: now, missed: 0 };
}

/** Frames within this share of the interval are one sign of life. */
const SAME_SIGN = 1 / 50;

/** Whether a frame that comes now changes anything. */
export function isNews({ asked, missed, heardAt, intervalMs }: Heartbeat, now: number): boolean {
  return asked !== undefined || missed > 0 || now >= heardAt + SAME_SIGN * intervalMs;
}

/** What was asked is answered. */
const CALM = { deadlineAt: undefined, asked: undefined, missed: 0 };

/** A frame came. */
export function heard(heartbeat: Heartbeat, now: number): Heartbeat {
  return { ...heartbeat, heardAt: now, ...(heartbeat.asked === 'ack' ? {} : CALM) };
}

/** A pong came: the answer to the last ping. */
export function ponged(heartbeat: Heartbeat, now: number): Heartbeat {
  const { pingedAt } = heartbeat;
  if (pingedAt === undefined) return heartbeat;
  return { ...heartbeat, ...CALM, pingedAt: undefined, answeredAt: now, rttMs: now - pingedAt };
}

/**
 * A ping has been written; it counts as missed after `timeoutMs`. One that is out already is not given longer by that:
 * who is woken again and again would never find out.
 */
export function pinged(
  heartbeat: Heartbeat,
  now: number,
  why: Asked,
  timeoutMs = heartbeat.timeoutMs,
): Heartbeat {
  const { deadlineAt = Infinity } = heartbeat;
  const isMissed = deadlineAt <= now;
  const endsAt = now + timeoutMs;
  return {
    ...{ ...heartbeat, pingedAt: now, missed: heartbeat.missed + (isMissed ? 1 : 0) },
    asked: heartbeat.asked === 'ack' ? 'ack' : why,
    deadlineAt: isMissed ? endsAt : Math.min(deadlineAt, endsAt),
  };
}

/**
 * How long an answer may take before somebody should ask what keeps it. An hour-long round trip is that of a pong
 * which lay in the socket while we slept.
 */
export function patience({ rttMs = 0, intervalMs }: Heartbeat): number {
  return Math.max(2_000, Math.min(4 * rttMs, intervalMs));
}

/** When `heartbeatNeed` will need something next, if no frame comes before. `awaitingSince`: the oldest unacknowledged write. */
export function heartbeatDueAt(heartbeat: Heartbeat, awaitingSince: number | undefined): number {
  const { heardAt, deadlineAt, intervalMs } = heartbeat;
  return deadlineAt ?? Math.min(heardAt + 1.25 * intervalMs, ackDueAt(heartbeat, awaitingSince));
}

/** When somebody should ask what keeps the ack. */
function ackDueAt(heartbeat: Heartbeat, awaitingSince: number | undefined): number {
  if (awaitingSince === undefined) return Infinity;
  return Math.max(awaitingSince, heartbeat.answeredAt) + patience(heartbeat);
}

/**
 * Asks, for whatever reason there is. Who comes late has slept, or was not let run: a connection that was lost
 * meanwhile is to be known soon.
 */
export function ask(heartbeat: Heartbeat, now: number, awaitingSince: number | undefined): Heartbeat {
  const isLate = now > heartbeatDueAt(heartbeat, awaitingSince) + LATE_MS;
  const why = now >= ackDueAt(heartbeat, awaitingSince) ? 'ack' : isLate ? 'wake' : 'silence';
  return pinged(heartbeat, now, why, isLate ? patience(heartbeat) : undefined);
}

/** What the heartbeat needs now. */
export function heartbeatNeed(
  heartbeat: Heartbeat,
  now: number,
  awaitingSince: number | undefined,
): HeartbeatNeed {
  if (now < heartbeatDueAt(heartbeat, awaitingSince)) return 'nothing';
  const { deadlineAt, missed, maxMissed } = heartbeat;
  if (deadlineAt === undefined) return 'ping';
  // Who wakes from a sleep gets one more chance: the answer may be waiting in the socket.
  const allowed = maxMissed + (now > deadlineAt + LATE_MS ? 1 : 0);
  return missed + 1 >= allowed ? 'give-up' : 'ping';
}
