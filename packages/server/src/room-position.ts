import type { RoomPosition } from './ports/store.js';

/** Whether one position is before the other in the same log. */
export function isBefore(one: RoomPosition, other: RoomPosition): boolean {
  return one.epoch === other.epoch && one.offset < other.offset;
}

/**
 * A client that stands before the place where it joined is raised to it. One that speaks of another epoch than it
 * joined in has been told of that epoch since, or has not been told anything yet: its word counts.
 */
export function laterPosition(told: RoomPosition | undefined, joined: RoomPosition): RoomPosition {
  if (!told) return joined;
  return isBefore(told, joined) ? joined : told;
}
