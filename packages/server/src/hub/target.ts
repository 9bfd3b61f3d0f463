import { checkName, isPromiseLike, type Random, type Scope } from '@holdfast/protocol';
import { after, type InOrder } from '../answer.js';
import type { Answer, FindCall, FoundSession, SessionStore } from '../ports/store.js';
import type { RetryingStore } from '../store/retrying-store.js';
import type {
  RoomTarget,
  ServerSendOptions,
  ServerSession,
  SessionInfo,
  Target,
  Unreached,
} from '../types.js';
import type { Direct, DirectEvent } from './direct.js';
import type { Hub } from './hub.js';
import { sendEvent, type Treatment } from './outgoing.js';
import { parseData } from './session-data.js';
import { checkMove, endIn, move, roomsIn } from './session-facade.js';

export interface TargetSurroundings {
  readonly hub: Hub;
  readonly direct: Direct;
  readonly store: RetryingStore;
  readonly random: Random;
  readonly scope: Scope;
  /** Whom a message is for is looked up first. Messages go in the order in which they were sent, not in that of the answers. */
  readonly lookups: InOrder;
  /** Ends a session for good. */
  end(sid: string, reason: string): Answer<void>;
  /** Nobody was there to be told. */
  unreached(what: Unreached): void;
}

/** Whom a target leaves out: sessions by id, and whoever is in these rooms. */
interface Except {
  readonly sids: readonly string[];
  readonly rooms: readonly string[];
}
const NOBODY: Except = { sids: [], rooms: [] };

/** Sessions, wherever they are, as somebody to be told something or moved. */
export function createTarget(around: TargetSurroundings, whom: FindCall, except: Except = NOBODY): Target {
  const found = () => findSessions(around, whom, except);
  const { backlog } = around.store;
  const orClosed = <T>(run: () => Promise<T>): Promise<T> => backlog.orClosed(run());
  const each = async (what: (sid: string) => Answer<unknown>): Promise<void> => {
    await Promise.all((await found()).map(({ sid }) => what(sid)));
  };
  const moveEach = (rooms: readonly string[], way: 'in' | 'out'): Promise<void> => {
    // Also where nobody is found: misuse must not show only when somebody comes.
    checkMove(around.scope, rooms, way);
    return orClosed(() => each((sid) => move(around, sid, rooms, way)));
  };
  return Object.freeze<Target>({
    except: (...others: readonly (Pick<ServerSession, 'id'> | string)[]) =>
      createTarget(around, whom, joined(around.scope, except, others)),
    send: (event: string, payload?: unknown, options?: ServerSendOptions) =>
      sendEvent(around, { event, payload, options }, (treatment) => {
        const refusal = backlog.refusal(treatment.id);
        if (refusal) return Promise.reject<{ readonly members: number }>(refusal);
        const told = backlog.holds(tell(around, whom, except, { payload, ...treatment }));
        const answer = isPromiseLike(told) ? backlog.orClosed(told, treatment.id) : told;
        return after(answer, (members) => {
          const { id, name } = treatment;
          if (members === 0) around.unreached({ event: name, payload, id, ...whom });
          return { members };
        });
      }),
    sessions: () => orClosed(async () => (await found()).map((one) => infoOf(around.scope, one))),
    join: (...rooms: readonly string[]) => moveEach(rooms, 'in'),
    leave: (...rooms: readonly string[]) => moveEach(rooms, 'out'),
    end: (reason = 'ended') =>
      orClosed(async () => {
        checkName(reason, 'end(reason)');
        await each((sid) => endIn(around, sid, reason));
      }),
  });
}

/** The members of rooms. */
export function createRoomTarget(
  around: TargetSurroundings,
  named: readonly string[],
  except: Except = NOBODY,
): RoomTarget {
  const { scope } = around;
  if (named.length === 0) throw new TypeError('to(...rooms): name one room or more');
  for (const room of named) checkName(room, 'to(room)', scope.prefix);
  // A room that is named twice would have it in its log twice.
  const names = [...new Set(named)];
  const rooms = names.map((room) => scope.prefix + room);
  return Object.freeze<RoomTarget>({
    ...createTarget(around, { rooms }, except),
    to: (...more: readonly string[]) => createRoomTarget(around, [...names, ...more], except),
    except: (...others: readonly (Pick<ServerSession, 'id'> | string)[]) =>
      createRoomTarget(around, names, joined(scope, except, others)),
  });
}

function joined(
  { prefix }: Scope,
  { sids, rooms }: Except,
  others: readonly (Pick<ServerSession, 'id'> | string)[],
): Except {
  const more = { sids: [...sids], rooms: [...rooms] };
  for (const one of others) {
    if (typeof one === 'string') {
      checkName(one, 'except(room)', prefix);
      more.rooms.push(prefix + one);
    } else if (typeof one?.id === 'string') more.sids.push(one.id);
    else throw new TypeError('except(...): sessions, or names of rooms');
  }
  return more;
}

/** Says for how many it was. Throws what cannot be encoded. */
function tell(
  around: TargetSurroundings,
  whom: FindCall,
  except: Except,
  event: DirectEvent & Treatment,
): Answer<number> {
  const { hub, direct, lookups, random } = around;
  const { rooms } = whom;
  const isVolatile = event.delivery === 'volatile';
  if (!rooms) {
    return lookups.follow(findSessions(around, whom, except), (found) =>
      isVolatile ? direct.cast(found, event) : direct.send(found, event),
    );
  }
  return lookups.follow(audienceOf(around.store, except, rooms), ({ sids, members }) => {
    // Not its id: that is the application's, which may use one twice.
    const toSeveral = members ? random.id() : undefined;
    const publication = { ...event, except: sids, toSeveral };
    if (members) return tellRooms(hub, rooms, members, publication);
    const [room = ''] = rooms;
    return isVolatile ? hub.cast(room, publication) : hub.publish(room, publication);
  });
}

/** Who of those in these rooms is left out; of several rooms, who is in them. */
function audienceOf(
  store: SessionStore,
  except: Except,
  rooms: readonly string[],
): Answer<{ readonly sids: ReadonlySet<string>; readonly members?: readonly FoundSession[] }> {
  return after(excepted(store, except, rooms), (sids) =>
    rooms.length === 1 ? { sids } : after(store.find({ rooms }), (members) => ({ sids, members })),
  );
}

/** Several rooms: who is in more than one of them hears it once, and is counted once. */
function tellRooms(
  hub: Hub,
  rooms: readonly string[],
  members: readonly FoundSession[],
  publication: DirectEvent & Treatment & { readonly except: ReadonlySet<string> },
): Answer<number> {
  const isFor = members.filter(({ sid }) => !publication.except.has(sid));
  if (publication.delivery === 'volatile') {
    const byRoom = new Map<string, string[]>(rooms.map((room) => [room, []]));
    for (const { sid, rooms: theirs } of members) for (const room of theirs) byRoom.get(room)?.push(sid);
    const before = new Set<string>();
    const casts = [...byRoom].map(([room, sids]) => {
      const again = sids.filter((sid) => before.has(sid));
      for (const sid of sids) before.add(sid);
      return hub.cast(room, { ...publication, except: new Set([...publication.except, ...again]) });
    });
    return after(Promise.all(casts), () => isFor.length);
  }
  return after(Promise.all(rooms.map((room) => hub.publish(room, publication))), () => isFor.length);
}

/**
 * Ids of the sessions that are left out. `of`: of what is said in these rooms; their logs keep the ids, so who is in none
 * of them does not go along.
 */
function excepted(
  store: SessionStore,
  { sids, rooms }: Except,
  of?: readonly string[],
): Answer<ReadonlySet<string>> {
  if (rooms.length === 0) return new Set(sids);
  const told = of && new Set(of);
  return after(store.find({ rooms }), (found) => {
    const left = told ? found.filter((one) => one.rooms.some((room) => told.has(room))) : found;
    return new Set([...sids, ...left.map(({ sid }) => sid)]);
  });
}

/** In a namespace: of those who are in it. */
function findSessions(
  { store, scope: { prefix } }: Pick<TargetSurroundings, 'store' | 'scope'>,
  whom: FindCall,
  except: Except,
): Answer<readonly FoundSession[]> {
  const isHere = ({ rooms }: FoundSession): boolean => prefix === '' || rooms.includes(prefix);
  return after(excepted(store, except), (sids) =>
    after(store.find(whom), (found) => found.filter((one) => !sids.has(one.sid) && isHere(one))),
  );
}

function infoOf(scope: Scope, { sid, user, rooms, attached, data }: FoundSession): SessionInfo {
  return { id: sid, user, rooms: roomsIn(scope, rooms), attached, data: parseData(data) };
}
