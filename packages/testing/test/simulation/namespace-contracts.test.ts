import { defineContract } from '@holdfast/client';
import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { house } from './house.js';
import { endOf, openBed, silent } from './people.js';

// What may be said in a namespace, and what may name one.

describe('contracts', () => {
  const admin = defineContract({
    version: 2,
    clientEvents: { broadcast: z.object({ text: z.string() }) },
    requests: { kick: { input: z.object({ userId: z.string() }), output: z.number() } },
    presence: z.object({ busy: z.boolean() }),
  });

  const withContract = () => {
    const got: unknown[] = [];
    const bed = openBed({
      logger: silent,
      setup(server) {
        const admins = server.namespace('/admin', admin);
        admins.on('broadcast', (payload) => void got.push(payload));
        admins.handle('kick', ({ userId }) => userId.length);
        admins.rooms('*', { join: true, presence: true });
        server.on('broadcast', () => void got.push('outside'));
      },
    });
    return { bed, got };
  };

  test('each namespace has its own, at both ends', async () => {
    const { bed, got } = withContract();
    const client = bed.createClient({ logger: silent });
    await bed.until(client.connect());
    const ns = client.namespace('/admin', admin);
    await bed.until(ns.join());
    await bed.until(ns.send('broadcast', { text: 'hi' }));
    expect(await bed.until(ns.request('kick', { userId: 'four' }))).toBe(4);
    // @ts-expect-error not what the contract says
    await expect(bed.until(ns.send('broadcast', { text: 4 }))).rejects.toMatchObject({ delivery: 'unsent' });
    // @ts-expect-error not in the contract
    expect(() => ns.send('message', {})).toThrow("send('message'): the contract has no such event");
    // @ts-expect-error not in the contract
    expect(() => ns.on('nothing', () => undefined)).not.toThrow();
    // The root has none: anything goes.
    await bed.until(client.send('broadcast', 7));
    expect(got).toEqual([{ text: 'hi' }, 'outside']);
    const room = ns.room('lobby');
    await bed.until(room.join());
    // @ts-expect-error not what the contract says
    await expect(bed.until(room.setPresence({ busy: 1 }))).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
    });
  });

  test('the server checks what a client without one says', async () => {
    const { bed, got } = withContract();
    const client = bed.createClient({ logger: silent });
    await bed.until(client.connect());
    const ns = client.namespace('/admin');
    await bed.until(ns.join());
    const ends = [ns.send('broadcast', { text: 4 }), ns.send('message', {}), ns.request('kick')].map(endOf);
    await bed.advance(1_000);
    expect(ends.map(({ end }) => end)).toEqual([
      'ERR_INVALID_PAYLOAD rejected',
      'ERR_NO_HANDLER rejected',
      'ERR_INVALID_PAYLOAD rejected',
    ]);
    expect(got).toEqual([]);
  });

  test('versions that do not fit are refused at the join', async () => {
    const { bed } = withContract();
    const client = bed.createClient({ logger: silent });
    await bed.until(client.connect());
    const old = client.namespace('/admin', defineContract({ version: 1, clientEvents: {} }));
    await expect(bed.until(old.join())).rejects.toMatchObject({ reason: 'contract-version', data: [2, 2] });
  });

  test('there is one for each name', () => {
    const { bed } = withContract();
    const client = bed.createClient({ logger: silent });
    const other = defineContract({ clientEvents: {} });
    const ns = client.namespace('/admin', admin);
    expect(client.namespace('/admin', admin)).toBe(ns);
    expect(client.namespace('/admin')).toBe(ns);
    expect(() => client.namespace('/admin', other)).toThrow("namespace('/admin'): it has another contract");
    expect(() => bed.server.namespace('/admin', other)).toThrow('it has another contract already');
    expect(bed.server.namespace('/admin')).toBe(bed.server.namespace('/admin', admin));
  });

  test('one that comes late would leave out who may enter: it is refused', async () => {
    const bed = openBed({
      logger: silent,
      setup(server) {
        server.namespace('/admin').use(() => {
          throw new RejectError('nobody');
        });
      },
    });
    const late = "namespace('/admin'): its contract is to be given the first time";
    expect(() => bed.server.namespace('/admin', admin)).toThrow(late);
    const client = bed.createClient({ logger: silent });
    await bed.until(client.connect());
    await expect(bed.until(client.namespace('/admin').join())).rejects.toMatchObject({ reason: 'nobody' });
    expect(() => client.namespace('/admin', admin)).toThrow(late);
  });

  test('what an earlier life has said in one is sent again when the namespace has been named: it names none itself', () => {
    const { bed } = withContract();
    const client = bed.createClient({ logger: silent });
    const said = {
      kind: 'event',
      id: 'x',
      event: '/admin#broadcast',
      payload: 1,
      room: '/admin#',
      sentAt: 0,
    } as const;
    expect(() => client.resend(said)).toThrow(
      "resend(): '/admin#broadcast' is in a namespace that this client has not named",
    );
    expect(client.namespace('/admin', admin).contract).toBe(admin);
  });
});

describe('names', () => {
  test('of a namespace', () => {
    const { bed } = house();
    const client = bed.createClient();
    for (const name of ['admin', '/', '/a#b', `/${'x'.repeat(64)}`, 7]) {
      const rule = "namespace(name) must begin with '/', have 2 to 64 characters, and no '#'";
      expect(() => client.namespace(name as '/x')).toThrow(rule);
      expect(() => bed.server.namespace(name as '/x')).toThrow(rule);
    }
  });

  test('nobody reaches into a namespace from outside', () => {
    const { bed } = house();
    const client = bed.createClient();
    const say = "is in the namespace '/admin': say it there";
    expect(() => client.send('/admin#note')).toThrow(say);
    expect(() => client.room('/admin#lobby')).toThrow(say);
    expect(() => bed.server.to('/admin#')).toThrow(say);
    expect(() => bed.server.on('/admin#note', () => undefined)).toThrow(say);
    expect(() => bed.server.rooms('/admin#*', { join: true })).toThrow('must be a name');
    // A path is no namespace.
    expect(client.room('/docs/1').name).toBe('/docs/1');
  });

  test('a short pattern of the server opens nothing in a namespace', async () => {
    const bed = openBed({
      logger: silent,
      setup(server) {
        server.rooms('*', { join: true, publish: true });
        server.rooms('/*', { join: true, publish: true });
        server.namespace('/closed');
      },
    });
    const client = bed.createClient({ logger: silent });
    await bed.until(client.connect());
    const ns = client.namespace('/closed');
    await bed.until(ns.join());
    await expect(bed.until(ns.room('lobby').join())).rejects.toMatchObject({ reason: 'join-not-allowed' });
  });
});
