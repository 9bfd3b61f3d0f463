import { prefixOf, RejectError } from '@holdfast/protocol';
import { after } from '../answer.js';
import type { Answer, SessionStore } from '../ports/store.js';
import type { Session } from '../session.js';

/** Throws a `RejectError` unless the session is in the namespace of this name. */
export function demandHome({ rooms }: Pick<Session, 'rooms'>, name: string): void {
  const home = prefixOf(name);
  if (home !== '' && !rooms.has(home)) throw new RejectError('not-in-namespace');
}

/**
 * Who is not in a namespace is in none of its rooms: takes a session that has been put into this room out again if it was
 * taken out of the namespace meanwhile. To be called when it is in the room: who takes it out of the namespace from then on
 * finds it there.
 */
export function dropStray(
  hub: { move(sid: string, room: string, way: 'out'): Answer<unknown> },
  store: SessionStore,
  sid: string,
  room: string,
): Answer<unknown> {
  const home = prefixOf(room);
  if (home === '' || home === room) return undefined;
  return after(
    store.find({ sids: [sid] }),
    ([found]) => found && !found.rooms.includes(home) && hub.move(sid, room, 'out'),
  );
}

/** Rooms in which a server has left a session that it took out of their namespace, not knowing of them. */
export function strays(rooms: ReadonlyMap<string, unknown>): string[] {
  return [...rooms.keys()].filter((room) => prefixOf(room) !== '' && !rooms.has(prefixOf(room)));
}

/** Whether a session is in a room, for whom the store has told `gone`: to a join that had worked, if its answer was lost. */
export function standsIn(store: SessionStore, sid: string, room: string): Answer<boolean> {
  return after(store.find({ sids: [sid] }), ([found]) => found?.rooms.includes(room) ?? false);
}

/** Tells the application that a session has joined a namespace, if it has. */
export function tellEntered(
  application: { entered(session: Session, home: string): void },
  session: Session,
  home: string,
  stands: Answer<boolean>,
): Answer<void> {
  return after(stands, (isIn) => {
    if (!isIn || session.ended || !session.rooms.has(home)) return;
    session.joined.tellsIn(home);
    application.entered(session, home);
  });
}
