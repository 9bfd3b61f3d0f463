import { describe, expect, test } from 'vitest';
import type { ConnectionSettings } from '../../src/core/connection.js';
import { broken, busy, expired, lost, Machine } from './machine.js';

const policyOf = (answer: ReturnType<NonNullable<ConnectionSettings['reconnect']['policy']>>) => {
  const asked: Parameters<NonNullable<ConnectionSettings['reconnect']['policy']>>[0][] = [];
  const policy: NonNullable<ConnectionSettings['reconnect']['policy']> = (context) => {
    asked.push(context);
    return answer;
  };
  return { policy, asked };
};

describe('after a loss', () => {
  test('the first attempt is spread as the server asked, however short the connection was', () => {
    for (const upMs of [1_000, 60_000]) {
      const machine = new Machine().up(100_000).after(upMs).fail();
      expect(machine.wait).toBe(50_000);
      expect(machine.ring().fail().wait).toBeLessThan(2_000);
    }
  });

  test('a hurry ends the wait within 100 ms, and not at once for all clients of a machine', () => {
    for (const [fraction, wait] of [
      [0, 0],
      [0.99, 99],
    ] as const) {
      const machine = new Machine().up(100_000).fail();
      machine.around.fraction = fraction;
      expect(machine.tell({ type: 'hurry' }).wait).toBe(wait);
      expect(machine.shown).toMatchObject({ waitingFor: 'timer' });
    }
  });

  test('a hurry never makes a wait longer', () => {
    const machine = new Machine({ baseMs: 20 }).up().after(5_000).fail();
    const { wait } = machine;
    expect(wait).toBeLessThan(20);
    expect(machine.tell({ type: 'hurry' }).wait).toBe(wait);
  });

  test('connect() is "now"', () => {
    const machine = new Machine().up(100_000).fail().connect();
    expect(machine.connection).toMatchObject({ status: 'preparing', attempt: 2, lastError: lost });
    expect(machine.does).toBe('prepare');
  });
});

describe('a server that says when', () => {
  test.each([
    [0, 57_000],
    [0.5, 60_000],
    [1, 63_000],
  ])('is obeyed within 5 %%, by the dice: %d', (fraction, wait) => {
    const machine = new Machine().up().after(60_000);
    machine.around.fraction = fraction;
    expect(machine.fail(busy(60_000)).wait).toBe(wait);
    expect(machine.shown).toMatchObject({ status: 'reconnecting', waitingFor: 'timer' });
  });

  test('no hurry shortens that, nor a nap of the page; connect() does', () => {
    const machine = new Machine().up().fail(busy(60_000));
    const { wait } = machine;
    expect(machine.tell({ type: 'hurry' }).wait).toBe(wait);
    machine.tell({ type: 'sleep', bye: false }, { type: 'hurry' });
    expect(machine.wait).toBe(wait);
    expect(machine.connect().connection.status).toBe('preparing');
  });

  test('its word counts before a policy, and without a network', () => {
    const { policy, asked } = policyOf(5);
    const machine = new Machine({ policy }).up();
    machine.around.isOffline = true;
    expect(machine.fail(busy(60_000)).wait).toBe(60_000);
    expect(asked).toEqual([]);
  });

  test('one that always says "at once" makes no tight loop', () => {
    const machine = new Machine().up().fail(busy(0));
    let dials = 0;
    const end = machine.around.now + 60_000;
    for (; machine.around.now < end && dials < 1_000; dials++)
      machine.ring().dial('prepared').dial('opened').fail(busy(0));
    expect(dials).toBeLessThan(40);
  });
});

describe('a policy', () => {
  test('decides the delay, and is told attempt, time and error', () => {
    const { policy, asked } = policyOf(7);
    const machine = new Machine({ policy }).up().after(60_000).fail();
    expect(machine.wait).toBe(7);
    machine.ring().after(100).fail(broken);
    expect(machine.wait).toBe(7);
    expect(asked).toEqual([
      { attempt: 1, elapsedMs: 0, error: lost },
      { attempt: 2, elapsedMs: 107, error: broken },
    ]);
  });

  test('null gives up', () => {
    const machine = new Machine(policyOf(null)).up().fail();
    expect(machine.connection).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_GAVE_UP', cause: lost },
    });
    expect(machine.does).toBe('hang-up');
  });

  test('one that has no answer leaves it to the backoff', () => {
    expect(new Machine(policyOf(undefined)).up().after(60_000).fail().wait).toBe(275);
  });
});

describe('an end to the patience', () => {
  test('after maxAttempts', () => {
    const machine = new Machine({ maxAttempts: 3 }).connect().fail().ring().fail().ring();
    expect(machine.connection).toMatchObject({ status: 'preparing', attempt: 3 });
    expect(machine.fail().connection).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_GAVE_UP', message: 'gave up after 3 attempts: lost' },
    });
  });

  test('before an attempt that would come after maxElapsedMs', () => {
    const machine = new Machine({ maxElapsedMs: 10_000 }).up().after(60_000).fail();
    const downAt = machine.around.now;
    for (let n = 0; machine.connection.status === 'waiting' && n < 100; n++) machine.ring().fail();
    expect(machine.connection).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_GAVE_UP', cause: lost },
    });
    expect(machine.around.now - downAt).toBeGreaterThan(4_000);
    expect(machine.around.now - downAt).toBeLessThanOrEqual(10_000);
  });

  test('the time begins with the loss, and anew with the next one', () => {
    const machine = new Machine({ maxElapsedMs: 1_000 }).up().after(3_600_000).fail();
    expect(machine.connection.status).toBe('waiting');
    machine.ring().dial('prepared').dial('opened').welcome().after(3_600_000).fail();
    expect(machine.connection.status).toBe('waiting');
  });
});

describe('without a network', () => {
  const offline = (reconnect = {}) => {
    const machine = new Machine(reconnect).up().after(60_000);
    machine.around.isOffline = true;
    return machine;
  };

  test('an attempt is made all the same, after the cap: the platform may be wrong', () => {
    const machine = offline().fail();
    expect(machine.wait).toBe(30_000);
    expect(machine.shown).toMatchObject({ waitingFor: 'online' });
    expect(machine.ring().connection.status).toBe('preparing');
  });

  test('its return ends the wait', () => {
    expect(offline().fail().tell({ type: 'hurry' }).wait).toBe(50);
  });

  test('a patience shorter than the cap is not over before its time', () => {
    const machine = offline({ maxElapsedMs: 20_000 }).fail();
    expect(machine.connection).toMatchObject({ status: 'waiting', waitingFor: 'online' });
    expect(machine.wait).toBe(20_000);
    expect(machine.ring().fail().connection.status).toBe('failed');
  });
});

describe('the same fault', () => {
  test.each([
    [59_999, 'failed'],
    [60_000, 'waiting'],
  ])('again after %i ms: %s', (ms, status) => {
    const machine = new Machine().up().fail(broken, 1007);
    expect(machine.connection.status).toBe('waiting');
    machine.after(ms).tick().dial('prepared').dial('opened').welcome().fail(broken, 1007);
    expect(machine.connection.status).toBe(status);
  });

  test('another fault, or a fault after a mere loss, is tried again', () => {
    const machine = new Machine().up().fail(broken, 1007).ring().fail(broken, 1009).ring();
    expect(machine.fail(lost, 1006).ring().fail(lost, 1006).connection.status).toBe('waiting');
    expect(machine.ring().fail(broken, 1009).connection.status).toBe('failed');
  });

  test('connect() after that begins anew', () => {
    const machine = new Machine().up().fail(broken, 1007).ring().fail(broken, 1007).connect();
    expect(machine.connection).toMatchObject({ status: 'preparing', attempt: 1 });
  });
});

describe('a page that is put away', () => {
  test('keeps up the wish: it waits to be seen, and comes back by itself after the cap', () => {
    const machine = new Machine().up().after(60_000).tell({ type: 'sleep', bye: false });
    expect(machine.does).toBe('hang-up');
    expect(machine.shown).toMatchObject({ status: 'reconnecting', attempt: 1, waitingFor: 'visible' });
    expect(machine.wait).toBe(30_000);
    expect(machine.tell({ type: 'hurry' }).wait).toBe(50);
    expect(machine.ring().connection).toMatchObject({ status: 'preparing', attempt: 1 });
  });

  test('while it waits: attempts, time and reason are still those of the loss', () => {
    const machine = new Machine({ maxElapsedMs: 100_000 }).up().fail().ring().fail();
    machine.tell({ type: 'sleep', bye: false });
    expect(machine.connection).toMatchObject({ attempt: 3, lastError: lost, downSince: 100_000 });
    expect(machine.connection).toMatchObject({ waitingFor: 'visible' });
  });

  test('down is down', () => {
    const machine = new Machine().up().tell({ type: 'disconnect' });
    machine.tell({ type: 'sleep', bye: true }, { type: 'hurry' }, { type: 'doubt' }, { type: 'tick' });
    expect(machine.connection.status).toBe('idle');
    expect(machine.effects).toEqual([]);
  });
});

describe('a token that has expired', () => {
  const renewable = (): Machine => {
    const machine = new Machine();
    machine.around.canRenewToken = true;
    return machine;
  };

  test('is replaced within the first step, whatever the count and the spread', () => {
    const machine = renewable().up(100_000).after(60_000).fail(expired);
    expect(machine.wait).toBe(275);
    machine.ring().dial('prepared').dial('opened').fail(expired);
    expect(machine.wait).toBe(275);
  });

  test('cannot be replaced: needs-auth, until connect()', () => {
    const machine = new Machine().up().fail(expired);
    expect(machine.shown).toEqual({ status: 'needs-auth', error: expired });
    expect(machine.deadline).toBeUndefined();
    expect(machine.connect().connection.status).toBe('preparing');
  });

  test('a server that lets in and sends away makes no tight loop', () => {
    const machine = renewable().up();
    let dials = 0;
    const end = machine.around.now + 60_000;
    for (; machine.around.now < end && dials < 1_000; dials++) {
      machine.fail(expired).ring().dial('prepared').dial('opened').welcome();
    }
    expect(dials).toBeLessThan(20);
  });
});
