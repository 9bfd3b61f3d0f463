import { checkAsked } from './asks.js';
import type { ClientApp } from './client-app.js';
import type { Found } from './judge.js';
import type { Said } from './ledger.js';
import { loginStep } from './logins.js';
import { namespaceStep } from './namespace-steps.js';
import { HOME, INSIDE } from './namespaces.js';
import { checkPresence, presenceStep, vanishAtTheEnd } from './presence.js';
import { PUT, SURE } from './server-node.js';
import type { ClientKind } from './sim-client.js';
import { askStep, calm, moveStep, step, streamStep } from './steps.js';
import { checkStreams } from './streams.js';
import { pass } from './time.js';
import { World } from './world.js';

export interface Played {
  readonly seed: number;
  readonly found: readonly Found[];
  /** What happened, line by line; empty unless asked for. */
  readonly trace: readonly string[];
  readonly coverage: { readonly [event: string]: number };
}

/** Long enough for the slowest to come back: backoff, deadlines, a lease, a dead link noticed. */
const QUIET_MS = 180_000;
/** Until tokens that were asked for before are refused, too. */
const TOKENS_MS = 60_000;
const MORE_MS = 30_000;
const WINDOW = 1_000;
const CLOSING_MS = 60_000;

export interface PlayOptions {
  /** Default false. */
  readonly tracing?: boolean;
  /** What clients there are; default `whole`. */
  readonly client?: ClientKind | undefined;
}

/** Runs one seed: everything goes wrong, then nothing any more, then all must be well. */
export async function play(
  seed: number,
  { tracing = false, client = 'whole' }: PlayOptions = {},
): Promise<Played> {
  const world = new World(seed, client, tracing);
  await pass(world.clock, scenario(world));
  const { judge, coverage } = world;
  coverage.add('seeds');
  return { seed, found: judge.found, trace: judge.lines, coverage: coverage.toJSON() };
}

/** What happens; yields how much time passes until the next thing does. */
function* scenario(world: World): Generator<number, void> {
  const { judge, dice } = world;
  for (let index = 0; index < world.climate.clients; index++) world.addClient();
  yield dice.pick([0, 50, 1_000]);
  for (let left = world.climate.steps; left > 0; left--) {
    step(world);
    askStep(world);
    streamStep(world);
    moveStep(world);
    namespaceStep(world);
    presenceStep(world);
    loginStep(world);
    yield pause(world);
    atEachStep(world);
    if (judge.found.length > 0) return;
  }
  calm(world);
  yield TOKENS_MS;
  // Whose last tokens were refused has asked for a login.
  for (const { client, here } of world.apps) {
    if (here && client.getState().status === 'needs-auth') void client.connect().catch(() => undefined);
  }
  yield QUIET_MS;
  // One handler at a time and a slow store: what still moves is no deadlock.
  for (let left = Infinity; unsettled(world) < left; yield MORE_MS) left = unsettled(world);
  if (world.climate.asks && judge.found.length === 0) yield* consult(world);
  if (judge.found.length === 0) atTheEnd(world);
  if (judge.found.length === 0 && world.climate.presence) yield* vanishAtTheEnd(world);
  if (judge.found.length === 0) yield* close(world);
}

/** With nothing in their way, handlers that wait for handlers at the other end come to their end. */
function* consult({ apps, judge, ledger }: World): Generator<number, void> {
  const here = apps.filter((app) => app.here);
  const before = ledger.asked.length;
  for (const app of here) {
    void app.client
      .room(SURE)
      .join()
      .catch(() => undefined);
    for (let left = 3; left > 0; left--) app.say('request', 'consult', 0);
  }
  yield MORE_MS;
  const asked = ledger.asked.slice(before);
  judge.demand(asked.length === 4 * here.length, 19, () => `${asked.length} of 4 for each were asked`);
  for (const { index, outcome } of asked) {
    // A server that died has left its questions open where handlers of the client never answer: its places are taken.
    const isWell = outcome === 'ok' || outcome === 'ERR_OUTBOX_FULL unsent';
    judge.demand(isWell, 19, () => `question ${index} ended ${outcome} although all is well`);
  }
}

/** How much has not come to its end. */
function unsettled({ apps, ledger, storeWatch }: World): number {
  const open = [...ledger.allSaid()].filter(({ by, outcome }) => apps[by]?.here && outcome === undefined);
  // An item is progress, too.
  const unread = ledger.streams
    .filter(({ process, outcome }) => process.alive && outcome === undefined)
    .map(({ length, read }) => length - read + 1);
  return unread.reduce((sum, one) => sum + one, open.length + storeWatch.unhandled());
}

function pause({ dice }: World): number {
  return dice.pick([0, 0, dice.roll(30), dice.roll(300), dice.roll(3_000), dice.roll(40_000)]);
}

function atEachStep({ apps, judge }: World): void {
  for (const { client, name, outbox, hearing, here } of apps) {
    const state = client.getState();
    const isDeaf = here && state.status === 'connected' && hearing.mustKnow(state.since);
    judge.demand(!isDeaf, 14, () => `${name} has not noticed that nothing comes any more`);
    const { maxMessages = 1_000, overflow } = outbox;
    const { messages, inflight } = client.getOutbox();
    // The protocol's own requests are few, and are not bound by the outbox.
    judge.demand(inflight <= WINDOW + 8, 12, () => `${name} has ${inflight} messages on the wire`);
    const most = overflow === 'wait' ? Infinity : maxMessages + 8;
    judge.demand(messages <= most, 12, () => `${name} has ${messages} of ${most} messages in its outbox`);
  }
}

/** Who is in a room of which servers have their say knows it, and nobody else believes it. */
function checkMoves({ apps, judge, storeWatch, climate }: World): void {
  const there = apps.filter(({ here, sid }) => here && sid !== undefined);
  for (const room of climate.namespaces ? [PUT, HOME, INSIDE] : [PUT]) {
    const members = storeWatch.membersOf(room);
    for (const app of there) {
      const isIn = app.room(room).getState().status === 'joined';
      judge.demand(
        isIn === members.has(app.sid ?? ''),
        room === PUT ? 3 : 20,
        () => `${app.name} ${isIn ? 'believes' : 'does not know'} that it is in ${room}`,
      );
    }
  }
  const [visitors, inRoom] = [storeWatch.membersOf(HOME), storeWatch.membersOf(INSIDE)];
  for (const { name, sid = '' } of there) {
    const isAstray = inRoom.has(sid) && !visitors.has(sid);
    judge.demand(!isAstray, 20, () => `${name} is in ${INSIDE}, and not in ${HOME}`);
  }
}

function atTheEnd(world: World): void {
  const { apps, judge, ledger, storeWatch } = world;
  const unhandled = storeWatch.unhandled();
  judge.demand(unhandled === 0, 3, () => `${unhandled} accepted messages are handled by nobody`);
  for (const app of apps) if (app.here) ending(world, app);
  checkMoves(world);
  checkPresence(world);
  checkAsked(judge, ledger);
  checkStreams(judge, ledger, world.hasOneServer);
  for (const said of ledger.allSaid()) if (apps[said.by]?.here) ended(world, said);
  for (const { sid, outcome, writer, k, heard, process } of ledger.allDowns()) {
    const app = apps.find((one) => one.here && one.sid === sid);
    if (!app || !process.alive) continue;
    judge.demand(
      outcome !== 'ok' || heard === 1,
      3,
      () => `${writer} ${k} acknowledged by ${app.name}, never heard`,
    );
  }
}

function ending({ judge, storeWatch, publications }: World, app: ClientApp): void {
  const { client, name } = app;
  const { status } = client.getState();
  judge.demand(status === 'connected', 14, () => `${name} is ${status} although all is well`);
  const { messages, inflight } = client.getOutbox();
  judge.demand(
    messages + inflight === 0,
    3,
    () => `${name} still has ${messages} waiting, ${inflight} on the wire`,
  );
  judge.demand(!app.sid || storeWatch.session(app.sid) !== undefined, 4, () => `${name} is in no session`);
  app.direct.finish();
  for (const [room, ear] of app.ears) {
    ear.finish(publications.findLast((one) => one.room === room)?.epoch);
  }
}

function ended({ judge }: World, { by, k, kind, outcome, starts, toldUnknown }: Said): void {
  const what = `${kind} ${by}:${k}`;
  judge.demand(outcome !== undefined, kind === 'request' ? 19 : 3, () => `${what} never ended`);
  if (outcome === 'ok') {
    const handled = starts.some(({ finished }) => finished);
    judge.demand(handled || toldUnknown, 3, () => `${what} acknowledged and never handled to its end`);
  }
  if (outcome?.endsWith(' unsent') || outcome === 'superseded' || outcome === 'dropped') {
    judge.demand(starts.length === 0, 3, () => `${what} handled, although it ended ${outcome}`);
  }
}

/** Everybody goes, and nothing may be left. */
function* close({ apps, nodes, judge }: World): Generator<number, void> {
  let closed = 0;
  const here = apps.filter((app) => app.here);
  for (const app of here) void app.close(0).then(() => closed++);
  yield CLOSING_MS;
  judge.demand(closed === here.length, 13, () => `${here.length - closed} clients did not close`);
  for (const { name, platform } of here) {
    judge.demand(platform.listeners === 0, 13, () => `${name} still listens to its platform`);
  }
  for (const { server } of nodes) void server.close();
  yield CLOSING_MS;
  for (const { name, process } of [...here, ...nodes]) {
    judge.demand(process.timers === 0, 13, () => `${name} has left ${process.timers} timers`);
  }
}
