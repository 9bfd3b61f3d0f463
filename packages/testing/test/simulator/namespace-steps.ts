import { HOME, INSIDE } from './namespaces.js';
import { WISHES } from './steps.js';
import type { World } from './world.js';

/** What may happen in and to the namespace, and how often: weights. */
const STEPS = {
  join: 10,
  'join-room': 10,
  leave: 3,
  'leave-room': 3,
  say: 30,
  burst: 2,
  ask: 12,
  publish: 12,
  tell: 14,
  'tell-room': 10,
  dismiss: 4,
  appoint: 5,
  expel: 3,
} as const;
type StepName = keyof typeof STEPS;

/** Clients visit the namespace, servers talk there, and somebody says who may be in; of dice of their own, too. */
export function namespaceStep(world: World): void {
  const { namespaceDice: dice, climate, coverage, judge, apps, guests, nodes } = world;
  if (!climate.namespaces || !guests || !dice.chance(0.8)) return;
  const name = dice.weighted(STEPS);
  coverage.add(`namespace: ${name}`);
  const user = `u${dice.roll(climate.clients)}`;
  if (name === 'dismiss' || name === 'appoint') judge.note(() => `— ${name} ${user}`);
  if (name === 'dismiss') return guests.dismiss(user, world.clock.now());
  if (name === 'appoint') return guests.appoint(user);
  if (name === 'expel' || name === 'tell' || name === 'tell-room') {
    const node = nodes[dice.roll(Math.max(1, nodes.length))];
    if (!node || node.process.paused) return;
    if (name === 'expel') return node.expel(user);
    return node.tellInside(name === 'tell' ? HOME : INSIDE);
  }
  const here = apps.filter((app) => app.here);
  if (here.length > 0) visitorStep(world, name, dice.pick(here));
}

function visitorStep(
  { namespaceDice: dice, judge }: World,
  name: StepName,
  app: World['apps'][number],
): void {
  const wish = dice.weighted(WISHES);
  const ms = dice.between(1, 4_000);
  switch (name) {
    case 'join':
      judge.note(() => `— ${app.name} joins the namespace`);
      return app.join(HOME);
    case 'join-room':
      return app.join(INSIDE);
    case 'leave':
      judge.note(() => `— ${app.name} leaves the namespace`);
      return app.leave(HOME);
    case 'leave-room':
      return app.leave(INSIDE);
    case 'say':
      return app.say('event', wish, ms, HOME);
    case 'burst':
      for (let left = dice.pick([3, 20]); left > 0; left--) app.say('event', dice.weighted(WISHES), ms, HOME);
      return;
    case 'ask':
      return app.say('request', wish, ms, HOME);
    case 'publish':
      return app.say('publication', wish, ms, INSIDE);
  }
}
