import { describe, expect, test } from 'vitest';
import { openBed, silent } from './people.js';

const A = 10;
/** A server that takes ten handshakes a second. */
const smallServer = () => openBed({ limits: { acceptPerSecond: A }, logger: silent });
const SECOND = 1_000;

/** The most that came in any one second. */
function mostInASecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + SECOND).length));
}

describe('a server that takes so many handshakes a second', () => {
  test('takes them at that rate, each with its session, and says to the others when to come', async () => {
    const bed = smallServer();
    const clients = Array.from({ length: 60 }, () => bed.createClient());
    const busy: number[] = [];
    const at: number[] = [];
    bed.server.onAttach(() => at.push(bed.clock.now()));
    for (const client of clients) {
      client.onState((state) => {
        if (state.status !== 'reconnecting' || state.waitingFor !== 'timer') return;
        if (state.lastError.code === 'ERR_SERVER_BUSY') busy.push(state.lastError.retryAfterMs);
      });
    }
    await bed.until(Promise.all(clients.map((client) => client.connect())));
    expect(at).toHaveLength(60);
    // A burst of a tenth of a second, and then what it can do.
    expect(mostInASecond(at)).toBeLessThanOrEqual(A + 2);
    expect(Math.max(...at) - Math.min(...at)).toBeLessThan(1.3 * (60 / A) * SECOND);
    // Who was sent away was told when to come, one after the other, and was sent away once.
    expect(busy.length).toBeGreaterThan(30);
    expect(busy.length).toBeLessThanOrEqual(60);
    expect(new Set(busy).size).toBe(busy.length);
    expect(bed.server.stats()).toMatchObject({ connections: 60, errors: 0 });
  });

  test('whoever waits in its queue and goes, or says something, disturbs nobody', async () => {
    const bed = smallServer();
    const clients = Array.from({ length: 8 }, () => bed.createClient());
    const all = clients.map((client) => client.connect());
    for (const one of all) one.catch(() => undefined);
    await bed.advance(150);
    const gone = clients.filter((client) => client.getState().status !== 'connected').slice(0, 2);
    expect(gone).toHaveLength(2);
    await bed.until(Promise.all(gone.map((client) => client.close())));
    const left = clients.filter((client) => !gone.includes(client));
    await bed.until(Promise.all(left.map((client) => client.connect())));
    expect(bed.server.stats()).toMatchObject({ connections: 6, sessions: 6, errors: 0 });
  });

  test('comes back whole after a restart: everybody, resumed, with what was sent meanwhile', async () => {
    const bed = openBed({
      limits: { acceptPerSecond: A },
      logger: silent,
      setup: (server) => server.handle('echo', (input) => input),
    });
    const clients = Array.from({ length: 40 }, () => bed.createClient());
    await bed.until(Promise.all(clients.map((client) => client.connect())));
    await bed.advance(10_000);
    bed.restart();
    const answers = clients.map((client, index) => client.request('echo', index, { timeoutMs: 120_000 }));
    expect(await bed.until(Promise.all(answers))).toEqual(clients.map((_, index) => index));
    const states = clients.map((client) => client.getState());
    expect(states.filter((state) => state.status === 'connected' && state.recovered)).toHaveLength(40);
  });
});
