import { holdfastError } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { busy, expired, lost, Machine, NOW, takenOver } from './machine.js';

/** Asked to go elsewhere, with the dial there in this phase. */
function moving(phase: 'preparing' | 'dialing' | 'handshaking'): Machine {
  const machine = new Machine().up().after(60_000).tell({ type: 'heard', dial: 1 });
  machine.tell({ type: 'goaway', dial: 1, afterMs: 0 }).tick();
  if (phase !== 'preparing') machine.dial('prepared');
  if (phase === 'handshaking') machine.dial('opened');
  return machine;
}
const phases = ['preparing', 'dialing', 'handshaking'] as const;
const successor = ({ connection }: Machine) =>
  connection.status === 'connected' ? connection.successor?.phase : connection.status;

describe('the server asks for a connection elsewhere', () => {
  test('it is dialled when the time has come, not before; a second word changes nothing', () => {
    const machine = new Machine().up().tell({ type: 'goaway', dial: 1, afterMs: 700 });
    machine.tell({ type: 'goaway', dial: 1, afterMs: 5 });
    expect(machine.deadline).toBe(NOW + 700);
    expect(machine.after(699).tick().does).toBe('');
    expect(machine.after(1).tick().effects).toEqual([{ do: 'prepare', dial: 2, attempt: 1 }]);
    expect(machine.shown).toMatchObject({ status: 'connected', health: 'good' });
  });

  test('one step after the other, beside the connection that stands', () => {
    const machine = moving('preparing');
    const seen = machine.shown;
    expect(machine.dial('prepared').effects).toEqual([{ do: 'dial', dial: 2 }]);
    expect(machine.dial('opened').effects).toEqual([{ do: 'hello', dial: 2 }]);
    expect(machine.dial('relieved').effects).toEqual([{ do: 'hang-up', dial: 1, code: 1000, reason: '' }]);
    expect(machine.shown).toBe(machine.connection.status === 'handshaking' && machine.connection.shown);
    expect(machine.shown).toEqual(seen);
    expect(machine.welcome().connection).toMatchObject({ status: 'connected', socket: 2, attempt: 1 });
    expect(machine.connection).not.toHaveProperty('successor');
    expect(machine.connection).not.toHaveProperty('moveAt');
    // What the old one has to say concerns nobody.
    const { connection } = machine;
    expect(machine.tell({ type: 'failed', dial: 1, error: lost }).connection).toBe(connection);
  });

  test.each(phases)('out of turn, in %s: nothing', (phase) => {
    const { connection } = moving(phase);
    for (const type of ['prepared', 'opened', 'ping-came', 'heard', 'pong-came'] as const) {
      const isDue = { preparing: 'prepared', dialing: 'opened', handshaking: '' }[phase] === type;
      const machine = moving(phase);
      machine.connection = connection;
      machine.tell({ type, dial: connection.dial });
      if (!isDue) expect([type, machine.connection, machine.does]).toEqual([type, connection, '']);
    }
  });
});

describe.each(phases)('the new connection fails while %s', (phase) => {
  test('the old one stands, unseen by the application, and another attempt follows', () => {
    const machine = moving(phase);
    const seen = machine.shown;
    expect(machine.failSuccessor().does).toBe('hang-up');
    expect(machine.effects).toMatchObject([{ dial: 2 }]);
    expect(machine.connection).toMatchObject({ status: 'connected', socket: 1, dial: 3 });
    expect(machine.shown).toEqual(seen);
    const dueIn = (machine.deadline ?? 0) - machine.around.now;
    expect(dueIn).toBeGreaterThan(0);
    expect(dueIn).toBeLessThanOrEqual(1_000);
    expect(machine.ring().effects).toEqual([{ do: 'prepare', dial: 4, attempt: 2 }]);
  });

  test('or nobody answers for 10 s: the same', () => {
    const machine = moving(phase).tell({ type: 'heard', dial: 1 }, { type: 'pong-came', dial: 1 });
    machine.around.awaitingSince = undefined;
    machine.after(9_999).tell({ type: 'heard', dial: 1 }).tick();
    expect(successor(machine)).toBe(phase);
    machine.after(1).tick();
    expect(machine.effects).toMatchObject([{ do: 'hang-up', dial: 2 }]);
    expect(machine.connection).toMatchObject({ status: 'connected', socket: 1, successor: undefined });
  });

  test('or the server there is busy, or wants another token: it waits as it was told; nothing is said', () => {
    const machine = moving(phase).failSuccessor(busy(20_000));
    expect(machine.connection).toMatchObject({ moveAt: machine.around.now + 20_000 });
    expect(moving(phase).failSuccessor(expired).connection.status).toBe('connected');
  });
});

describe.each(phases)('the old connection ends while the new one is %s', (phase) => {
  test('lost: the new one goes on, as a reconnect that can be seen', () => {
    const machine = moving(phase).fail();
    expect(machine.effects).toMatchObject([{ do: 'hang-up', dial: 1 }]);
    expect(machine.connection).toMatchObject({ status: phase, dial: 2 });
    expect(machine.shown).toMatchObject({ status: 'reconnecting', waitingFor: 'answer', lastError: lost });
    expect(machine.deadline).toBe(machine.around.now + 10_000);
  });

  test('silent: found dead by its heartbeat, the new one goes on', () => {
    const machine = moving(phase);
    machine.around.awaitingSince = machine.around.now - 60_000;
    machine.tick().ring();
    expect(machine.connection).toMatchObject({ status: phase, dial: 2 });
  });

  test('put away, told to end, or for good: both are hung up', () => {
    const ends = [
      { type: 'sleep', bye: false },
      { type: 'disconnect' },
      { type: 'connect', anew: true },
    ] as const;
    for (const end of ends) {
      const { effects } = moving(phase).tell(end);
      expect(effects.filter((effect) => effect.do === 'hang-up').map((effect) => effect.dial)).toEqual([
        1, 2,
      ]);
    }
  });
});

describe('4410 on the old connection', () => {
  test('after the move was given up that had said HELLO: it was our own doing, and the client comes back', () => {
    const machine = moving('handshaking').after(10_000).tick();
    expect(machine.shown).toMatchObject({ status: 'connected' });
    expect(machine.fail(takenOver, 4410).shown).toMatchObject({ status: 'reconnecting' });
  });

  test('while the new one shakes hands: it has taken over; the application goes on seeing "connected"', () => {
    const machine = moving('handshaking');
    const seen = machine.shown;
    machine.fail(takenOver, 4410);
    expect(machine.connection).toMatchObject({ status: 'handshaking', dial: 2 });
    expect(machine.shown).toEqual(seen);
    expect(machine.dial('relieved').effects).toEqual([]);
    expect(machine.welcome().shown).toMatchObject({ status: 'connected' });
  });

  test('before it has said a word: somebody else has taken over', () => {
    for (const phase of ['preparing', 'dialing'] as const) {
      expect(moving(phase).fail(takenOver, 4410).shown).toEqual({ status: 'failed', error: takenOver });
    }
  });

  test('and then the new one fails: now that can be seen', () => {
    const machine = moving('handshaking').fail(takenOver, 4410).fail();
    expect(machine.shown).toMatchObject({ status: 'reconnecting', attempt: 2, lastError: lost });
    expect(moving('handshaking').fail(takenOver, 4410).after(10_000).tick().shown).toMatchObject({
      lastError: holdfastError('ERR_WELCOME_TIMEOUT', 'no welcome within 10000 ms'),
    });
  });
});

test('hurry, doubt and connect() leave both as they are, but for a ping', () => {
  for (const type of ['hurry', 'doubt'] as const) {
    expect(moving('dialing').tell({ type }).does).toBe('ping');
    expect(successor(moving('dialing').tell({ type }))).toBe('dialing');
  }
  expect(moving('dialing').connect().does).toBe('');
});
