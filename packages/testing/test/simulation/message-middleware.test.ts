import { stream } from '@holdfast/client/stream';
import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { connected, house, inside } from './house.js';

describe('middleware for messages', () => {
  test('is asked before each event, request and stream is accepted', async () => {
    const seen: unknown[] = [];
    const { bed, told } = house((server) => {
      server.useMessages(({ kind, name, room, payload }, { user }) => {
        seen.push([kind, name, room, payload, user.id]);
        if (payload === 'bad') throw new RejectError('no bad words');
      });
      server.namespace('/admin').useMessages(async ({ kind, name, room }) => {
        seen.push([kind, name, room]);
        if (name === 'who') throw new RejectError('not for you');
      });
      server.handle('echo', (input) => input);
    });
    const { client, ns } = await inside(bed, 'ada admin');
    await bed.until(client.send('note', 'good'));
    await expect(bed.until(client.send('note', 'bad'))).rejects.toMatchObject({ reason: 'no bad words' });
    await expect(bed.until(client.request('echo', 'bad'))).rejects.toMatchObject({ reason: 'no bad words' });
    await expect(bed.until(ns.request('who'))).rejects.toMatchObject({ reason: 'not for you' });
    const room = ns.room('lobby');
    await bed.until(room.join());
    await bed.until(room.send('note', 'x'));
    const reading = (async () => {
      for await (const _ of stream(ns, 'count'));
    })();
    await bed.until(reading);
    client.send('note', 'bad', { delivery: 'volatile' });
    await bed.advance(100);
    expect(seen).toEqual([
      ['event', 'note', undefined, 'good', 'ada'],
      ['event', 'note', undefined, 'bad', 'ada'],
      ['request', 'echo', undefined, 'bad', 'ada'],
      ['request', 'who', undefined],
      ['event', 'note', 'lobby'],
      ['stream', 'count', undefined],
      ['event', 'note', undefined, 'bad', 'ada'],
    ]);
    expect(told).toEqual(['enters ada', 'note good', 'admin note x of ada in lobby']);
  });

  test('one that fails otherwise is reported, and the message is refused', async () => {
    const errors: unknown[] = [];
    const { bed } = house((server) => {
      server.onError((error) => errors.push((error as Error).message));
      server.useMessages(() => {
        throw new Error('broken');
      });
    });
    const { client } = await connected(bed, 'ada');
    await expect(bed.until(client.send('note', 'x'))).rejects.toMatchObject({ code: 'ERR_HANDLER_FAILED' });
    expect(errors).toEqual(['broken']);
    expect(() => bed.server.useMessages('x' as never)).toThrow(
      'useMessages(middleware) must be a function, not string',
    );
  });
});
