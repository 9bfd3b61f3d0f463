import { createHash } from 'node:crypto';
import { accept, attach, detach, end, read } from './lua/connections.js';
import { claim, done, release, renew } from './lua/handling.js';
import { lane } from './lua/lane.js';
import {
  advance,
  describe,
  enter,
  idleIn,
  leftAll,
  look,
  moveNow,
  orphan,
  stand,
  strike,
} from './lua/looking.js';
import { append, withdraw } from './lua/outbox.js';
import { prelude, step } from './lua/prelude.js';
import {
  beat,
  countMembers,
  incarnation,
  membersOf,
  present,
  publish,
  readRoom,
  seat,
  whoIsThere,
} from './lua/room.js';
import { session } from './lua/session.js';

/** One step in Redis: nothing else happens there meanwhile. */
export interface Script {
  readonly source: string;
  /** By which Redis knows it once it has seen it. */
  readonly sha: string;
}

const script = (...parts: readonly string[]): Script => {
  const source = prelude + step(...parts);
  return { source, sha: createHash('sha1').update(source).digest('hex') };
};

export const scripts = {
  attach: script(session, attach),
  accept: script(session, accept),
  append: script(session, lane, append),
  withdraw: script(session, lane, withdraw),
  read: script(session, lane, read),
  detach: script(session, detach),
  end: script(session, end),
  claim: script(session, claim),
  renew: script(session, renew),
  release: script(session, release),
  done: script(session, done),
  look: script(session, look),
  orphan: script(session, orphan),
  describe: script(session, describe),
  move: script(session, moveNow),
  stand: script(session, stand),
  leftAll: script(session, leftAll),
  enter: script(enter),
  idleIn: script(idleIn),
  advance: script(advance),
  strike: script(strike),
  publish: script(publish),
  incarnation: script(incarnation),
  readRoom: script(readRoom),
  seat: script(seat),
  membersOf: script(membersOf),
  countMembers: script(countMembers),
  present: script(present),
  whoIsThere: script(whoIsThere),
  beat: script(beat),
};
