/** In the order in which they came. */
const TIMES = ['asking', 'streams', 'moves', 'overflow', 'namespaces', 'presence', 'logins'] as const;
type Since = (typeof TIMES)[number];

interface Regression {
  readonly seed: number;
  readonly story: string;
  /** What there was already when it was found, beside what there always was. */
  readonly since?: Since;
}

/** Seeds that have found something, and what it was. Those below 2,000 are played anyway. */
export const REGRESSIONS: readonly Regression[] = [
  {
    seed: 217_228,
    story:
      'a join runs on the server that had the connection before; the one that has it now is told that it is handled, and not into which room it led',
  },
  {
    seed: 418_757,
    story:
      'a store rolls back under a publication whose answer is under way: it is published again, in another epoch',
  },
  {
    seed: 1_060_247,
    story:
      'a room is left by its last member while another one joins: the one that joined was never told of anything',
  },
  {
    seed: 1_084_203,
    story: 'a first HELLO arrives after its session has expired and another one has begun',
  },
  {
    seed: 2_001_174,
    story:
      'a room is opened while the store is being read for an ack: its publications went out before the SYNC that names it',
  },
  {
    seed: 3_023_642,
    story:
      'a server falls asleep over an attach; the session expires, the same first HELLO makes it anew elsewhere: both had generation 1',
  },
  {
    seed: 4_009_228,
    story:
      'a first HELLO that lay at a sleeping server makes its expired session anew: who shows the key of the expired one has lost it',
  },
  {
    seed: 4_184_670,
    story:
      'a claim of a session goes astray until the store, which has lost it, holds another one of the same id: two runners on one server',
  },
  {
    seed: 473,
    story:
      'a client moves to another server; what comes on the old connection after the HELLO was acknowledged on the new one, which had not written it',
  },
  {
    seed: 1_500,
    story:
      'two tokens are refused, the application tries again, the third one grows old while no server is reached: it was taken for the last straw',
  },
  {
    seed: 5_003_038,
    story:
      'a server drains while a handler runs: the session has moved, and the other server ran the message again',
  },
  {
    seed: 6_003_928,
    story:
      'a page freezes in the middle of a move: the new dial is given up when it wakes, and only then it hears that this very dial has taken over',
  },
  {
    seed: 7_187_756,
    story:
      'a session is lost while its publication waits for a handler; the room was left and joined again in between, and so the next session did not say whom it replaces: it heard its own words',
  },
  {
    seed: 2_264,
    since: 'asking',
    story:
      'a store that has lost its last writes ends a session and says that a request never got a number, which had been given one before',
  },
  {
    seed: 4_818,
    since: 'streams',
    story:
      'a request is cancelled before it is run; the next claim gives it again before the store knows that it is done, and it is run after all',
  },
  {
    seed: 492,
    since: 'streams',
    story:
      'a session comes back while the store is being told that the request of a stream is handled: the stream was given up before it had begun, and nobody said so',
  },
  {
    seed: 9_923,
    since: 'streams',
    story:
      'a session moves while the request of a stream waits; the server that drains runs it and goes: the next one had been asked for it before it was handled, and said nothing',
  },
  {
    seed: 312,
    since: 'moves',
    story:
      'a session is put into a room before its first WELCOME has arrived: the next connection has no rooms to speak of, and nothing flowed there',
  },
  {
    seed: 359,
    since: 'moves',
    story:
      'a session is taken out of a room and put in again while it is away: what it missed before was dropped, and its client not told that it had been out',
  },
  {
    seed: 52_615,
    since: 'moves',
    story:
      'everybody is taken out of a room, and one put in again while the store is asked from where it flows: the answer to the first question opened it under the number of the room that was gone',
  },
  {
    seed: 49_326,
    since: 'moves',
    story:
      'a session is put into a room just after the store has bound its new connection; the note of it overtakes the answer, which took it out again: its client never knew that it was in',
  },
  {
    seed: 305,
    since: 'overflow',
    story:
      'a server sleeps over the CANCEL that another one writes, and writes its request where nobody listens any more: a misjudgement',
  },
  {
    seed: 224,
    since: 'namespaces',
    story:
      'a client is taken out before the answer to its join has arrived: the answer came on its next connection, and it believed that it was in',
  },
  {
    seed: 101_470,
    since: 'namespaces',
    story:
      'a session is taken out of a namespace while its connection comes, by a server that does not know its rooms yet: it stayed in one',
  },
  {
    seed: 402_944,
    since: 'presence',
    story:
      'a session ends while a server that stands still has more to append to it; its client, who has never heard of it, makes it anew under its name: that one was asked what nobody waited for any more',
  },
  {
    seed: 502_421,
    since: 'presence',
    story:
      'a store loses everything, and a client that has never heard of its session makes it anew under its name; a server that knows the one before has said something to that, which is gone, and says more: that came, as if nothing were missing',
  },
  {
    seed: 504_378,
    since: 'presence',
    story:
      'a store says at once that it does not know a session any more, whose connection owes an ack and waits to be told why it ends: it asked again for ever, and no other connection had a turn',
  },
  {
    seed: 600_105,
    since: 'presence',
    story:
      'a session ends, and what is left of it is refused afterwards, set aside after three claims that ran out; its client comes back and is told that it was handled',
  },
  {
    seed: 70_006,
    since: 'presence',
    story:
      'the answer to a join of a namespace is lost, and that it is over is said again: the application was told that the session left, and never that it had come',
  },
  {
    seed: 604_940,
    since: 'presence',
    story:
      'a store does not answer for so long who may run a request that three claims run out, before anybody has begun it: it was set aside',
  },
  {
    seed: 1_000_043,
    since: 'logins',
    story:
      'a token is replaced before it has let anybody in: what was said for it was said by the user of the next one',
  },
  {
    seed: 1_010_750,
    since: 'logins',
    story:
      'a join is run twice; the run that lost opened the room and told a list that was taken back, and the session was believed to know what stood in it',
  },
  {
    seed: 1_117_656,
    since: 'logins',
    story:
      'what a member tells about itself is stored, and the answer of the store is lost: asked again, it says that this is done, and nobody was told',
  },
];

/** The same, of small clients. Those up to 200 are played anyway. */
export const LITE_REGRESSIONS: readonly Regression[] = [
  {
    seed: 1_455,
    story:
      'a room is left before its join has been written; one frame brings both answers and then the SYNC of that join, which was taken for the wish of a server',
  },
  {
    seed: 2_379,
    story: 'a page sleeps over a signal, and hears it after its client was closed: it dialled again',
  },
];

/** Those that are older: there the dice would tell other stories. */
function before(time: Since): ReadonlySet<number> {
  const isOlder = (since?: Since): boolean => !since || TIMES.indexOf(since) < TIMES.indexOf(time);
  return new Set(REGRESSIONS.flatMap(({ seed, since }) => (isOlder(since) ? [seed] : [])));
}

/** In these the two ends do not ask each other. */
export const BEFORE_ASKING = before('asking');
/** In these no client reads a stream. */
export const BEFORE_STREAMS = before('streams');
/** In these no server moves a session. */
export const BEFORE_MOVES = before('moves');
/** In these a server that has too much for a client refuses the newest, within the bounds of its store. */
export const BEFORE_OVERFLOW = before('overflow');
/** In these no server has a namespace. */
export const BEFORE_NAMESPACES = before('namespaces');
/** In these no client tells rooms about itself. */
export const BEFORE_PRESENCE = before('presence');
/** In these each client has one user. */
export const BEFORE_LOGINS = before('logins');
