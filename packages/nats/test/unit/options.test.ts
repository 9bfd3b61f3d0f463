import { describe, expect, test } from 'vitest';
import { nats } from '../../src/index.js';

const url = 'nats://127.0.0.1:4222';

describe('nats(options)', () => {
  test('says what it is, and connects to nobody by itself', () => {
    expect(nats({ servers: url }).name).toBe('nats');
    expect(nats({ servers: [url, new URL('nats://[::1]')], tls: null }).name).toBe('nats');
    expect(nats({ servers: 'tls://me:secret@host' }).name).toBe('nats');
  });

  test.each([
    [undefined, 'nats(options) must be an object'],
    [{ servers: url, server: url }, "unknown option 'server'"],
    [{}, 'servers must be nats://… or tls://…'],
    [{ servers: [] }, 'servers must be one url or more'],
    [{ servers: [url, 'host:4222'] }, 'servers must be nats://… or tls://…'],
    [{ servers: 'nats://' }, 'servers must be nats://… or tls://…'],
    [
      { servers: 'nats://me:100%@host' },
      'servers must write what is special in a user or password as in a url',
    ],
    [{ servers: [url, 'nats://me:secret@b'] }, 'servers must have the same user, password and protocol'],
    [{ servers: [url, 'tls://b'] }, 'servers must have the same user, password and protocol'],
  ])('%o: %s', (options, words) => {
    expect(() => nats(options as never)).toThrow(TypeError);
    expect(() => nats(options as never)).toThrow(words);
  });

  test('a wrong url is not shown', () => {
    expect(() => nats({ servers: 'http://:secret@host' })).toThrow(
      /^servers must be nats:\/\/… or tls:\/\/…$/,
    );
  });
});
