import type { ClientRoom } from '@holdfast/client';
import type { ClientApp } from './client-app.js';
import { INSIDE } from './namespaces.js';
import { PUT } from './server-node.js';
import type { World } from './world.js';

/** Clients tell rooms about themselves, where the climate has it; of dice of their own. */
export function presenceStep({ presenceDice: dice, apps, climate, coverage }: World): void {
  if (!climate.presence || !dice.chance(0.3)) return;
  const here = apps.filter((app) => app.here);
  if (here.length === 0) return;
  const app = dice.pick(here);
  const room = `r${dice.roll(climate.rooms)}`;
  // Requests of the protocol are not bound by the outbox: with many of them, it would seem to be too full.
  if (app.room(room).getState().status !== 'joined' || app.client.getOutbox().messages > 4) return;
  coverage.add('a member tells something about itself');
  app.telling.tell(room, dice.chance(0.2) ? undefined : `${app.name}:${dice.roll(1_000_000)}`);
}

/** A lease, some beats, and the time in which whoever is left comes back elsewhere. */
const TAKEN_OFF_MS = 30_000;

/** Where all has been well, one goes without a word, perhaps in the moment in which its servers die: it is shown no more. */
export function* vanishAtTheEnd(world: World): Generator<number, void> {
  const { presenceDice: dice, apps, nodes, judge, coverage, climate } = world;
  const here = apps.filter(({ here }) => here);
  if (here.length < 2) return;
  const app = dice.pick(here);
  const dying = climate.nodes > 1 && dice.chance(0.7) ? nodes : [];
  judge.note(() => `— ${app.name} vanishes${dying.length > 0 ? ' with its servers' : ''}`);
  coverage.add(`a client vanished${dying.length > 0 ? ' with its servers' : ''}`);
  // Or its server would take it for one that is silent, which is another story.
  if (dying.length === 0) app.link.cut();
  app.vanish();
  for (const node of dying.filter(({ sessions }) => sessions.some(({ id }) => id === app.sid))) {
    world.killNode(node);
    world.startNode();
  }
  yield TAKEN_OFF_MS;
  checkPresence(world);
}

/** All is quiet: each member is shown who is there, whoever has the connection, and nobody else. */
export function checkPresence(world: World): void {
  const { climate, kind } = world;
  // To a small one nobody is shown.
  if (kind === 'lite') return;
  const rooms = Array.from({ length: climate.rooms }, (_, index) => `r${index}`);
  if (climate.moves) rooms.push(PUT);
  if (climate.namespaces) rooms.push(INSIDE);
  for (const room of rooms) checkRoom(world, room);
}

function checkRoom({ apps, storeWatch, judge, coverage }: World, room: string): void {
  const members = storeWatch.membersOf(room);
  const there = apps.filter(({ here, sid }) => here && sid !== undefined && members.has(sid));
  const users = new Map<string, ClientApp[]>();
  for (const app of there) users.set(app.user, [...(users.get(app.user) ?? []), app]);
  const expected = [...users].map(([user, { length }]) => `${user} ${length}`).sort();
  for (const app of there) {
    const shown = (app.room(room) as ClientRoom).members;
    const seen = shown.map(({ userId, sessions }) => `${userId} ${sessions}`).sort();
    coverage.add('presence: a member was looked at');
    judge.demand(
      seen.join() === expected.join(),
      21,
      () => `${app.name} in ${room} is shown ${seen.join(', ')}; there are ${expected.join(', ')}`,
    );
    for (const { userId, presence } of shown) {
      const wrong = wrongState(users.get(userId) ?? [], room, presence);
      judge.demand(!wrong, 21, () => `${app.name} in ${room} is shown ${presence} of ${userId}: ${wrong}`);
    }
  }
}

/** Of several sessions of a user the newest word counts: of which one that is, only their servers know. */
function wrongState(sessions: readonly ClientApp[], room: string, shown: unknown): string | undefined {
  const told = sessions.map((app) => app.telling.in(room));
  if (told.some(({ isSure }) => !isSure)) return undefined;
  const words = told.flatMap(({ value }) => value ?? []);
  if (words.length === 0) return shown === undefined ? undefined : 'nothing was said';
  return words.includes(String(shown)) ? undefined : `${words.join(', ')} was said`;
}
