import { describe, expect, test } from 'vitest';
import { redis } from '../../src/index.js';

const url = 'redis://127.0.0.1:6379';

describe('redis(options)', () => {
  test('says what it is, and connects to nobody by itself', () => {
    expect(redis({ url })).toMatchObject({ name: 'redis' });
    expect(redis({ url: new URL(url), durability: 'disk', leaseMs: 2_000, prefix: '' }).name).toBe('redis');
  });

  test.each([
    [undefined, 'redis(options) must be an object'],
    [{ url, host: 'x' }, "unknown option 'host'"],
    [{ url, leaseMs: 10 }, 'leaseMs must be a whole number of at least 1000, not 10'],
    [{ url, commandTimeoutMs: 'soon' }, 'commandTimeoutMs must be a number'],
    [{ url, durability: 'memory' }, "durability must be 'node' or 'disk', not 'memory'"],
    [{ url, prefix: 7 }, 'prefix must be a string, not 7'],
    [{ url, nodes: [url] }, 'redis(options): name a url or nodes, not both'],
    [{ url, bus: { name: 'x' } }, 'bus must be what nats() of @holdfast/nats returns'],
    [{ nodes: [] }, 'nodes must be an array of one url or more'],
    [{ nodes: url }, 'nodes must be an array of one url or more'],
    [{ nodes: [url, `${url}/2`] }, 'nodes[1] must name no database'],
    [{ nodes: [url, 'redis://me:secret@b'] }, 'nodes must have the same user, password and protocol'],
    [{ nodes: [url, 'rediss://b'] }, 'nodes must have the same user, password and protocol'],
  ])('%o: %s', (options, words) => {
    expect(() => redis(options as never)).toThrow(TypeError);
    expect(() => redis(options as never)).toThrow(words);
  });

  test('takes nodes of a cluster', () => {
    const nodes = [url, new URL('redis://[::1]'), 'redis://c:7000/0'];
    expect(redis({ nodes }).name).toBe('redis');
  });

  test('a wrong url among nodes is not shown', () => {
    const call = () => redis({ nodes: [url, 'http://:secret@host'] });
    expect(call).toThrow(/^nodes\[1\] must be redis:\/\/… or rediss:\/\/…$/);
  });

  test.each([undefined, 'localhost', 'http://:secret@host', 7])('a wrong url is not shown: %s', (wrong) => {
    const call = () => redis({ url: wrong as never });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(/^url must be redis:\/\/… or rediss:\/\/…$/);
  });
});
