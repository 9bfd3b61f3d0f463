import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

type Asked = Pick<IncomingMessage, 'headers'> & {
  readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
};

/** Longer than any IP address with brackets, zone and port. */
const MAX_ADDRESS = 100;

/**
 * Who knocks, by so many proxies in front that are trusted: each appends whom it was asked by to `X-Forwarded-For`, so the
 * entries are read from the right, and what is left of the last trusted one is whatever the client likes to say. What is
 * no IP address ends the reading: the one before it counts.
 */
export function clientAddress({ headers, socket }: Asked, trustProxy: number | undefined): string {
  let address = plain(socket.remoteAddress ?? '');
  if (!trustProxy) return address;
  const forwarded = headers['x-forwarded-for'] ?? '';
  const entries = String(forwarded).split(',').reverse();
  for (const entry of entries.slice(0, trustProxy)) {
    const next = plain(withoutPort(entry.trim().slice(0, MAX_ADDRESS)));
    if (isIP(next) === 0) break;
    address = next;
  }
  return address;
}

/** Some proxies write the port, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? dotted ?? entry;
}

/** A socket that takes both families shows IPv4 addresses as IPv6 ones (RFC 4291 §2.5.5.2). */
function plain(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return dotted ?? address;
}

/** What counts as one for limits: an IPv4 address, or a /64, of which whoever has one address has them all (RFC 6177 §2). */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address;
  const [whole = ''] = address.toLowerCase().split('%');
  const [front = '', back] = whole.split('::');
  const first = front === '' ? [] : front.split(':');
  const last = back ? back.split(':') : [];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
