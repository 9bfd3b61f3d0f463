import { describe, expect, test } from 'vitest';
import { addressGroup, clientAddress } from '../../src/gateway/client-address.js';

const asked = (forwarded: string | undefined, remoteAddress: string | undefined = '10.0.0.1') => ({
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  socket: { remoteAddress },
});

describe('the address of a client', () => {
  test.each([
    ['undecided: the header is ignored', undefined, '192.0.2.9', '10.0.0.1'],
    ['no proxy: the header is ignored', 0, '192.0.2.9', '10.0.0.1'],
    ['one proxy', 1, '192.0.2.9', '192.0.2.9'],
    ['one proxy: what the client says itself is left of it', 1, '6.6.6.6, 192.0.2.9', '192.0.2.9'],
    ['two proxies', 2, '6.6.6.6,192.0.2.9 , 10.0.0.2', '192.0.2.9'],
    ['fewer entries than proxies', 3, '192.0.2.9, 10.0.0.2', '192.0.2.9'],
    ['no header', 1, undefined, '10.0.0.1'],
    ['an empty header', 1, '', '10.0.0.1'],
    ['IPv6', 1, '2001:db8::7', '2001:db8::7'],
    ['IPv4 in IPv6', 1, '::FFFF:192.0.2.9', '192.0.2.9'],
    ['a port', 1, '192.0.2.9:4711', '192.0.2.9'],
    ['IPv6 with a port', 1, '[2001:db8::7]:4711', '2001:db8::7'],
    ['IPv6 in brackets', 1, '[2001:db8::7]', '2001:db8::7'],
    ['no address', 1, 'unknown', '10.0.0.1'],
    ['no address behind one: that one counts', 2, '_hidden, 10.0.0.2', '10.0.0.2'],
    ['nothing but commas', 9, ',,,,', '10.0.0.1'],
    ['far too long', 1, `192.0.2.9${'0'.repeat(60_000)}`, '10.0.0.1'],
    ['an unclosed bracket', 1, '[2001:db8::7', '10.0.0.1'],
    ['a number that is none', 1, '999.1.1.1', '10.0.0.1'],
  ])('%s', (_, trustProxy, forwarded, expected) => {
    expect(clientAddress(asked(forwarded), trustProxy)).toBe(expected);
  });

  test('of a socket that takes both families, and of one that is gone', () => {
    expect(clientAddress(asked(undefined, '::ffff:10.0.0.7'), 0)).toBe('10.0.0.7');
    expect(clientAddress({ headers: {}, socket: { remoteAddress: undefined } }, 0)).toBe('');
  });
});

describe('what counts as one address', () => {
  test.each([
    ['192.0.2.9', '192.0.2.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['no address', 'no address'],
    ['', ''],
  ])('%s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
