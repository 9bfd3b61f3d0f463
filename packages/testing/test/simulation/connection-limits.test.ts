import { describe, expect, test } from 'vitest';
import { backTo, bareServer } from './bare.js';

function server(limits: object, trustProxy?: number) {
  const limited: string[] = [];
  const bare = bareServer({
    limits,
    trustProxy,
    auth: (token = 'guest') => ({ user: { id: token } }),
    observe: { limited: ({ limit }) => limited.push(limit) },
  });
  const enter = async (address: string, a: string, fields: object = {}) => {
    const peer = bare.dial(address);
    if (peer.closed === undefined) peer.hello({ a, ...fields });
    await bare.clock.advance(0);
    return peer;
  };
  return { ...bare, limited, enter };
}

describe('connections', () => {
  test('of one user: one too many is told when to come again, and comes when another has gone', async () => {
    const { enter, limited } = server({ connectionsPerUser: 2 });
    const [one, two, three, other] = [
      await enter('x', 'ann'),
      await enter('y', 'ann'),
      await enter('z', 'ann'),
      await enter('x', 'ben'),
    ];
    expect([one.closed, two.closed, three.closed, other.closed]).toEqual([
      undefined,
      undefined,
      '4429 ra=10000',
      undefined,
    ]);
    expect(limited).toEqual(['user-connections']);
    one.leave();
    expect((await enter('z', 'ann')).closed).toBeUndefined();
  });

  test('of one user: one that takes over its session is none more', async () => {
    const { enter, limited } = server({ connectionsPerUser: 1 });
    const one = await enter('x', 'ann');
    const again = await enter('y', 'ann', backTo(one, 2));
    expect([one.closed, again.closed, limited]).toEqual(['4410 superseded', undefined, []]);
    one.leave();
    expect((await enter('x', 'ann')).closed).toBe('4429 ra=10000');
    again.leave();
    expect((await enter('x', 'ann')).closed).toBeUndefined();
  });

  test('of one address, and of one /64, once it is known whose addresses are seen', async () => {
    const { enter, limited } = server({ connectionsPerAddress: 1 }, 0);
    const one = await enter('2001:db8::1', 'ann');
    expect((await enter('2001:db8::2', 'ben')).closed).toBe('4429 ra=10000');
    expect((await enter('2001:db8:0:1::1', 'ben')).closed).toBeUndefined();
    expect(limited).toEqual(['address-connections']);
    one.leave();
    expect((await enter('2001:db8::2', 'ben')).closed).toBeUndefined();
  });

  test('of one address: twenty of which nobody knows who they are', async () => {
    const { dial, enter } = server({}, 0);
    const strangers = Array.from({ length: 21 }, () => dial('192.0.2.1'));
    expect(strangers.filter(({ closed }) => closed !== undefined)).toHaveLength(1);
    expect(strangers[20]?.closed).toBe('4429 ra=10000');
    // Somebody else's are not counted with them, and who has said who it is makes room.
    expect((await enter('192.0.2.2', 'ann')).closed).toBeUndefined();
    strangers[0]?.hello({ a: 'ben' });
    expect(dial('192.0.2.1').closed).toBeUndefined();
    for (const stranger of strangers) stranger.leave();
  });

  test('of one address: so many new ones in a second, and what it has saved up', async () => {
    const { clock, enter } = server({ addressAcceptPerSecond: 1 }, 0);
    const all = [];
    for (let n = 0; n < 6; n++) all.push((await enter('192.0.2.1', `user ${n}`)).closed);
    expect(all).toEqual([...Array<undefined>(5).fill(undefined), '4429 ra=1000']);
    await clock.advance(1_000);
    expect((await enter('192.0.2.1', 'late')).closed).toBeUndefined();
  });

  test('are not counted by address while nobody has said whose addresses are seen', async () => {
    const { dial, limited } = server({ connectionsPerAddress: 1, addressAcceptPerSecond: 1 });
    const peers = Array.from({ length: 60 }, () => dial('192.0.2.1'));
    expect(peers.filter(({ closed }) => closed !== undefined)).toHaveLength(0);
    expect(limited).toEqual([]);
    for (const peer of peers) peer.leave();
  });
});
