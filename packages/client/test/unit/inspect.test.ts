import { describe, expect, test } from 'vitest';
import { type Connection, deadlineOf, timersOf } from '../../src/core/connection.js';
import { Journal } from '../../src/runtime/journal.js';
import { lost, Machine, NOW } from './machine.js';

const moving = () => {
  const machine = new Machine().up().after(1_000);
  return machine.tell({ type: 'goaway', dial: 1, afterMs: 0 }).tick();
};
const states: { readonly [name: string]: () => Machine } = {
  idle: () => new Machine(),
  preparing: () => new Machine().connect(),
  dialing: () => new Machine().connect().dial('prepared'),
  handshaking: () => new Machine().connect().dial('prepared').dial('opened'),
  connected: () => new Machine().up(),
  'connected, asked': () => new Machine().up().after(25_000).tick(),
  'told to go': () => new Machine().up().tell({ type: 'goaway', dial: 1, afterMs: 700 }),
  moving,
  'moving, late': () => moving().dial('prepared').dial('opened'),
  'moved, unseen': () => moving().dial('prepared').dial('opened').dial('relieved'),
  waiting: () => new Machine().connect().fail(),
  asleep: () => new Machine().up().tell({ type: 'sleep', bye: false }),
  failed: () => new Machine({ maxAttempts: 1 }).connect().fail(),
  closed: () => new Machine().up().tell({ type: 'close', reason: 'x' }),
};

describe.each(Object.keys(states))('in %s', (name) => {
  test('the timers that are shown are the deadlines that count', () => {
    const { connection } = states[name]?.() ?? new Machine();
    for (const awaitingSince of [undefined, NOW]) {
      const timers = timersOf(connection, awaitingSince);
      const nearest = Math.min(...timers.map(({ dueAt }) => dueAt));
      expect(nearest).toBe(deadlineOf(connection, awaitingSince) ?? Infinity);
    }
  });

  test('there is a deadline unless only the application leads out', () => {
    const { connection } = states[name]?.() ?? new Machine();
    const isBare = ['idle', 'failed', 'closed', 'needs-auth'].includes(connection.status);
    expect(deadlineOf(connection, undefined) === undefined).toBe(isBare);
  });

  test('the deadline leads somewhere: no tick that changes nothing', () => {
    const machine = states[name]?.() ?? new Machine();
    if (machine.deadline === undefined) return;
    const before = machine.connection;
    expect(machine.ring().connection).not.toBe(before);
    expect(machine.deadline ?? Infinity).toBeGreaterThan(machine.around.now);
  });
});

test.each([
  ['preparing', ['token']],
  ['dialing', ['dial']],
  ['handshaking', ['welcome']],
  ['waiting', ['attempt']],
  ['connected', ['ping']],
  ['connected, asked', ['pong']],
  ['told to go', ['ping', 'move']],
  ['moving', ['ping', 'move']],
  ['idle', []],
])('%s waits for %j', (name, names) => {
  const { connection } = states[name]?.() ?? new Machine();
  expect(timersOf(connection, undefined).map((timer) => timer.name)).toEqual(names);
});

describe('the journal', () => {
  const idle: Connection = new Machine().connection;
  const preparing: Connection = new Machine().connect().connection;

  test('tells from where to where, when and why; of an error its code', () => {
    const journal = new Journal();
    journal.note(idle, { type: 'connect', anew: false }, preparing, 1.7);
    const { connection } = new Machine().connect().fail();
    journal.note(preparing, { type: 'failed', dial: 1, error: lost }, connection, 2);
    expect(journal.transitions).toEqual([
      { at: 1, from: 'idle', to: 'preparing', cause: 'connect' },
      { at: 2, from: 'preparing', to: 'waiting', cause: 'ERR_CONNECTION_LOST' },
    ]);
    expect(journal.transitions.every(Object.isFrozen)).toBe(true);
  });

  test('notes no pings, but a dial to move to', () => {
    const journal = new Journal();
    const up = new Machine().up();
    journal.note(
      up.connection,
      { type: 'heard', dial: 1 },
      up.tell({ type: 'heard', dial: 1 }).connection,
      1,
    );
    expect(journal.transitions).toEqual([]);
    journal.note(up.connection, { type: 'tick' }, moving().connection, 2);
    expect(journal.transitions).toEqual([{ at: 2, from: 'connected', to: 'connected', cause: 'tick' }]);
  });

  test('keeps the last hundred, and gives a copy', () => {
    const journal = new Journal();
    for (let at = 0; at < 250; at++) journal.note(idle, { type: 'connect', anew: false }, preparing, at);
    const { transitions } = journal;
    expect([transitions.length, transitions[0]?.at, transitions.at(-1)?.at]).toEqual([100, 150, 249]);
    expect(journal.transitions).not.toBe(transitions);
  });
});
