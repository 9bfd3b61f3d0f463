import { MEMBER, MEMBERS, type MemberChange } from '@holdfast/protocol';
import type { Session } from '../session.js';
import { Aside } from './aside.js';
import type { LiveRoom } from './room.js';
import type { RoomPresence } from './room-presence.js';

/** About so many characters stand around a change in its item, and around an entry in a list. */
const AROUND_CHANGE = 45;
const AROUND_ENTRY = 6;

interface Announcement {
  readonly presence: RoomPresence;
  /** By user. */
  readonly changes: ReadonlyMap<string, MemberChange>;
  /** Whole ms, as it stands on the wire. */
  readonly at: number;
  failed(error: unknown): void;
}

/** Tells the members of a room what has changed among those who are there, or who is, where that is shorter. */
export function announce(room: LiveRoom<Session>, { presence, changes, at, failed }: Announcement): void {
  const list = shorterList(presence, changes);
  const said = new Aside(
    list
      ? [room.aside(MEMBERS, list, at)]
      : [...changes.values()].map((change) => room.aside(MEMBER, change, at)),
  );
  const tell = (member: Session): void => {
    const own = room.promised.size > 0 ? room.promised.get(member) : undefined;
    const change = own && changes.get(own[0]);
    // The list does not have it yet, and it was told that it is in there.
    const isMissing = own && list && !presence.get(member.id);
    if (change && !isMissing) room.promised.delete(member);
    if (change && changes.size === 1 && isSame(own, change)) return;
    member.attachment?.lanes.aside(room.name, said);
    if (isMissing) member.attachment?.lanes.aside(room.name, new Aside([room.aside(MEMBER, own, at)]));
  };
  for (const member of room.members) {
    try {
      tell(member);
    } catch (error) {
      // Of one connection, and nobody else is to miss anything by it.
      failed(error);
    }
  }
}

const isSame = (one: MemberChange, other: MemberChange): boolean =>
  one[1] === other[1] && one[2] === other[2];

/** All who are there, where more than that has changed. */
function shorterList(
  presence: RoomPresence,
  changes: ReadonlyMap<string, MemberChange>,
): readonly MemberChange[] | undefined {
  if (changes.size < 2) return undefined;
  const { list } = presence;
  const isShorter = lengthOf(list, AROUND_ENTRY) + AROUND_CHANGE < lengthOf(changes.values(), AROUND_CHANGE);
  return isShorter ? list : undefined;
}

function lengthOf(told: Iterable<MemberChange>, around: number): number {
  let length = 0;
  for (const [userId, , json = ''] of told) length += around + userId.length + json.length;
  return length;
}
