import type { ClientApp } from './client-app.js';
import type { AskWish, StreamWish, Wish } from './ledger.js';
import { PUT } from './server-node.js';
import type { World } from './world.js';

/** What may happen next, and how often: weights. */
const STEPS = {
  say: 40,
  burst: 4,
  ask: 10,
  publish: 10,
  'server-sends': 12,
  'server-publishes': 5,
  join: 8,
  leave: 2,
  cut: 10,
  'cut-for-one': 5,
  freeze: 6,
  throttle: 3,
  refuse: 3,
  heal: 14,
  'page-freezes': 3,
  'page-wakes': 6,
  'page-hidden': 2,
  'page-put-away': 2,
  signal: 4,
  'tokens-trouble': 1.5,
  'tokens-fine': 3,
  'page-vanishes': 1,
  disconnect: 2,
  connect: 4,
  close: 1,
  appear: 2,
  'server-dies': 3,
  'server-stands': 2,
  'server-goes-on': 4,
  'server-drains': 1.5,
  'store-loses-all': 0.6,
  'store-rolls-back': 0.8,
  'store-fails': 2,
  'store-is-fine': 3,
  'auth-trouble': 1.5,
  'auth-fine': 3,
  flood: 0.1,
} as const;
type StepName = keyof typeof STEPS;

export const WISHES: { readonly [wish in Wish]: number } = {
  plain: 50,
  throw: 5,
  refuse: 6,
  unheard: 6,
  slow: 14,
  answer: 14,
  'wait-for-answer': 6,
  announce: 5,
  // Where the two ends ask each other: below.
  consult: 0,
};

const FILLER = 'x'.repeat(400);

/** Throws the dice for what happens next, and lets it happen. */
export function step(world: World): void {
  const name = world.dice.weighted(STEPS);
  world.coverage.add(`step: ${name}`);
  const here = world.apps.filter((app) => app.here);
  const app = here[world.dice.roll(Math.max(1, here.length))];
  if (name.startsWith('server') || name.startsWith('store') || name.startsWith('auth')) {
    return serverStep(world, name);
  }
  if (app) clientStep(world, name, app);
  else if (name === 'appear') world.addClient();
}

function clientStep(world: World, name: StepName, app: ClientApp): void {
  const { dice, climate } = world;
  const room = `r${dice.roll(climate.rooms)}`;
  const filler = dice.chance(0.15) ? FILLER : undefined;
  const wish = dice.weighted(WISHES);
  const ms = dice.between(1, 4_000);
  if (!['say', 'burst', 'ask', 'publish'].includes(name)) world.judge.note(() => `— ${name} ${app.name}`);
  switch (name) {
    case 'say':
      return app.say('event', wish, ms, undefined, filler);
    case 'burst':
      for (let left = dice.pick([3, 5, 10, 20, 150]); left > 0; left--) {
        app.say('event', dice.weighted(WISHES), ms);
      }
      return;
    case 'flood':
      for (let left = 1_300; left > 0; left--) app.say('event', 'plain', 0);
      return;
    case 'ask':
      return app.say('request', wish, ms);
    case 'publish':
      return app.say('publication', wish, ms, room, filler);
    case 'join':
      return app.join(room);
    case 'leave':
      return app.leave(room);
    case 'disconnect':
      return void app.client.disconnect();
    case 'connect':
      return void app.client.connect().catch(() => undefined);
    case 'close':
      return void app.close(dice.pick([0, 2_000]));
    case 'page-vanishes':
      return app.vanish();
    case 'appear':
      if (world.apps.length < 8) world.addClient();
      return;
    default:
      return lineStep(world, name, app);
  }
}

/** What happens to the line of a client, or to its process. */
function lineStep({ dice }: World, name: StepName, app: ClientApp): void {
  const { link, process, hearing } = app;
  switch (name) {
    case 'signal':
      return app.platform.say(dice.pick(['online', 'offline', 'visible', 'awake'] as const));
    case 'page-put-away':
      app.platform.say('asleep');
      return process.pause();
    case 'tokens-trouble':
      app.platform.tokens = dice.pick(['throws', 'hangs', 'stale'] as const);
      return;
    case 'tokens-fine':
      app.platform.tokens = 'fine';
      return;
    case 'cut':
      return link.cut();
    case 'cut-for-one':
      return link.cut(dice.pick(['client', 'server'] as const));
    case 'freeze': {
      const direction = dice.pick(['both', 'up', 'down'] as const);
      hearing.frozen(direction);
      return link.freeze(direction);
    }
    case 'throttle':
      return link.throttle(dice.pick([0.02, 0.2, 2]));
    case 'refuse':
      return link.refuse();
    case 'heal':
      hearing.healed();
      return link.heal();
    case 'page-freezes':
      return process.pause();
    case 'page-wakes':
      process.throttleMs = 0;
      process.resume();
      // Some platforms say so, others do not.
      if (dice.chance(0.5)) app.platform.say('awake');
      return hearing.awake();
    case 'page-hidden':
      process.throttleMs = 1_000;
  }
}

function serverStep(world: World, name: StepName): void {
  const { dice, nodes, climate } = world;
  const node = nodes[dice.roll(Math.max(1, nodes.length))];
  if (!['server-sends', 'server-publishes'].includes(name))
    world.judge.note(() => `— ${name} ${node?.name ?? ''}`);
  switch (name) {
    case 'server-sends': {
      const sessions = node?.sessions ?? [];
      if (!node || sessions.length === 0) return;
      const session = dice.pick(sessions);
      const filler = dice.chance(0.2) ? FILLER : undefined;
      for (let left = dice.pick([1, 1, 1, 3, 30]); left > 0; left--) void node.send(session, filler);
      return;
    }
    case 'server-publishes':
      return node?.publish(`r${dice.roll(climate.rooms)}`);
    case 'server-dies':
      if (node) world.killNode(node);
      while (world.nodes.length < climate.nodes) world.startNode();
      return;
    case 'server-stands':
      return node?.process.pause();
    case 'server-goes-on':
      return node?.process.resume();
    case 'server-drains':
      // Alone it would have nobody to send its clients to.
      if (node && climate.nodes > 1 && !node.process.paused) world.drainNode(node);
      return;
    case 'store-loses-all':
      world.loseStore();
      while (world.nodes.length < climate.nodes) world.startNode();
      return;
    case 'store-rolls-back':
      return world.rollStoreBack(dice.pick([1, 50, 1_000, 10_000]));
    case 'store-fails':
      return world.storeFails(dice.pick([5, 30, 100]));
    case 'store-is-fine':
      return world.storeFails(0);
    case 'auth-trouble':
      if (node) node.auth = dice.pick(['throws', 'hangs'] as const);
      return;
    case 'auth-fine':
      for (const one of nodes) one.auth = 'fine';
  }
}

const ASK_WISHES: { readonly [wish in AskWish]: number } = {
  plain: 30,
  refuse: 6,
  throw: 4,
  unheard: 4,
  slow: 20,
  hang: 14,
  'ask-back': 14,
};

/** The two ends ask each other, where the climate has it. Of dice of their own: other seeds stay what they were. */
export function askStep(world: World): void {
  const { askDice: dice, nodes, climate } = world;
  if (!climate.asks || !dice.chance(0.35)) return;
  const here = world.apps.filter((app) => app.here);
  if (dice.chance(0.3) && here.length > 0) return dice.pick(here).say('request', 'consult', 0);
  const node = nodes[dice.roll(Math.max(1, nodes.length))];
  if (!node || node.process.paused || node.sessions.length === 0) return;
  const session = dice.pick(node.sessions);
  const count = dice.pick([1, 1, 1, 1, 5, 130]);
  for (let left = count; left > 0; left--) {
    void node.ask(session, {
      // More than a client takes.
      wish: count > 100 ? 'hang' : dice.weighted(ASK_WISHES),
      ms: dice.between(1, 4_000),
      timeoutMs: dice.pick([30_000, 5_000, 300]),
      abortAfterMs: dice.chance(0.2) ? dice.between(0, 2_000) : undefined,
    });
  }
}

const STREAM_WISHES: { readonly [wish in StreamWish]: number } = {
  count: 40,
  endless: 20,
  refuse: 8,
  throw: 6,
  unheard: 4,
};

/** Clients read streams, where the climate has it; of dice of their own, too. */
export function streamStep({ streamDice: dice, apps, climate }: World): void {
  if (!climate.streams || !dice.chance(0.15)) return;
  const here = apps.filter((app) => app.here);
  if (here.length === 0) return;
  const app = dice.pick(here);
  // Now and then more than a server yields.
  for (let left = dice.chance(0.02) ? 110 : dice.pick([1, 1, 1, 4]); left > 0; left--) {
    const wish = dice.weighted(STREAM_WISHES);
    void app.reading.read({
      wish,
      length: dice.pick([0, 1, 5, 20, 20, 60]),
      yieldMs: dice.pick([0, 0, 0, 20, 1_000]),
      // Who reads for long reads slowly, or there would be nothing but items.
      readMs: wish === 'endless' ? dice.pick([300, 2_000]) : dice.pick([0, 0, 10, 500]),
      leaveAfter: dice.chance(0.2) ? dice.between(1, 30) : Infinity,
      timeoutMs: dice.pick([Infinity, Infinity, Infinity, 30_000, 500]),
      filler: dice.chance(0.2) ? FILLER : undefined,
    });
  }
}

/** Servers move sessions into a room of theirs and out of it, and talk there; of dice of their own, too. */
export function moveStep({ moveDice: dice, nodes, climate, coverage }: World): void {
  if (!climate.moves || !dice.chance(0.4)) return;
  const node = nodes[dice.roll(Math.max(1, nodes.length))];
  if (!node || node.process.paused) return;
  const what = dice.pick(['in', 'in', 'out', 'tell', 'tell', 'tell-both', 'all-in'] as const);
  coverage.add(`move: ${what}`);
  if (what === 'tell') return node.publish(PUT);
  if (what === 'tell-both') return node.publish('r0', PUT);
  if (what === 'all-in') return node.move(dice.chance(0.5) ? 'in' : 'out');
  if (node.sessions.length > 0) node.move(what, dice.pick(node.sessions));
}

/** All faults stop. */
export function calm(world: World): void {
  world.judge.note(() => '— all faults stop');
  world.storeFails(0);
  for (const node of world.nodes) {
    node.auth = 'fine';
    node.process.resume();
  }
  for (const app of world.apps) {
    app.process.throttleMs = 0;
    app.platform.tokens = 'fine';
    app.link.heal();
    app.hearing.healed();
    app.process.resume();
    app.reading.leave();
    if (app.here) void app.client.connect().catch(() => undefined);
  }
}
