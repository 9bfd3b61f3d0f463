import { seededRandom } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { type Dial, plainWorld } from './plain-world.js';

// By the dice: whatever happens to a plain socket, also in its listeners, its rules hold.

const SIGNALS = ['online', 'offline', 'visible', 'asleep', 'awake', 'gone'] as const;

async function storm(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const chance = (of: number): boolean => random.fraction() < of;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.fraction() * of.length)] as T;
  const ended = new Set<Dial>();
  const open = new Set<Dial>();
  let asked = 0;
  /** How often a listener does something. */
  let rashness = 0.15;
  const world = plainWorld({
    url: () => {
      asked++;
      if (chance(0.1)) throw new Error('none');
      if (chance(0.1)) return new Promise<string>(() => undefined);
      const url = `ws://x/${asked}`;
      return chance(0.5) ? url : Promise.resolve(url);
    },
    heartbeat: { message: 'ping', isPong: (data) => data === 'pong' },
    outbox: { maxMessages: 20, overflow: 'drop-oldest' },
  });
  const { socket, dials, clock, log } = world;
  const lives = (): Dial[] => dials.filter((dial) => dial.left === undefined && !ended.has(dial));
  let said = 0;
  const say = (): void => socket.send(`${++said}`);
  const act = (): void => {
    const dice = random.fraction();
    if (dice < 0.5) say();
    else if (dice < 0.6) socket.reconnect();
    else if (dice < 0.65) socket.close();
    else if (dice < 0.7) {
      socket.reconnect();
      say();
    }
  };
  for (const type of ['open', 'message', 'error', 'close'] as const) {
    socket.addEventListener(type, () => {
      if (chance(rashness)) act();
    });
  }
  const happen = (): void => {
    const dial = lives()[0];
    const dice = random.fraction();
    if (dice < 0.3) act();
    else if (dice < 0.4) world.signal(pick(SIGNALS));
    else if (!dial) return;
    else if (!open.has(dial)) {
      if (dice < 0.8) {
        open.add(dial);
        dial.open();
      } else {
        ended.add(dial);
        dial.end();
      }
    } else if (dice < 0.8) dial.say(pick(['hello', 'pong']));
    else if (dice < 0.9) {
      ended.add(dial);
      dial.end(pick([1000, 1001, 1006, 4000]));
    }
  };
  for (let step = 0; step < 300; step++) {
    happen();
    await clock.advance(pick([0, 0, 1, 100, 3_000, 12_000, 40_000]));
    expect(lives().length, `sockets at step ${step}`).toBeLessThan(2);
    const [dial] = lives();
    expect(socket.readyState === 1, `OPEN at step ${step}`).toBe(dial !== undefined && open.has(dial));
  }
  // In order, none twice, on all connections together.
  const sent = dials
    .flatMap((dial) => dial.sent)
    .filter((data) => data !== 'ping')
    .map(Number);
  expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
  // Nothing is sent before a connection opens.
  for (const dial of dials) if (!open.has(dial)) expect(dial.sent).toEqual([]);
  // Between two that open there is one that closes, and no message but between them.
  let isUp = false;
  for (const line of log) {
    if (line === 'open') {
      expect(isUp).toBe(false);
      isUp = true;
    } else if (line.startsWith('close')) isUp = false;
    else if (line.startsWith('message')) expect(isUp).toBe(true);
  }
  rashness = 0;
  world.signal('visible');
  for (let patience = 0; patience < 200 && socket.readyState !== 1; patience++) {
    for (const dial of lives()) {
      if (!open.has(dial)) {
        open.add(dial);
        dial.open();
      }
    }
    if (socket.readyState === 3) socket.reconnect();
    await clock.advance(5_000);
  }
  expect(socket.readyState).toBe(1);
}

describe('by the dice', () => {
  test.each(Array.from({ length: 60 }, (_, index) => index + 1))('seed %i', (seed) => storm(seed));
});
