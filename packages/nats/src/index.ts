/** Notes between servers over NATS: `redis({ url, bus: nats({ servers }) })`. */
import { checkKeys } from '@holdfast/protocol';
import type { Bus, BusPort } from '@holdfast/server/ports';
import { type Access, dial } from './dial.js';
import { NatsConnection } from './nats-connection.js';

export type { Bus };

export interface NatsOptions extends Access {
  /**
   * One, or some of a cluster, each as `nats://[[user]:password@]host[:port]`, or `tls://`; a name without a password is a
   * token. All by the same user and password. Of several, the first that answers.
   */
  servers: string | URL | readonly (string | URL)[];
}

const OPTIONS = ['servers', 'authenticator', 'tls'] as const satisfies readonly (keyof NatsOptions)[];

/**
 * Carries notes between servers of Holdfast over NATS; nothing is stored there, so JetStream is not needed. Connects when a
 * server is made with it, one connection for each, and ends with the server. `authenticator` and `tls` are as
 * `@nats-io/transport-node` has them. Throws a `TypeError` that names the option, the rule and the value.
 */
export function nats(options: NatsOptions): Bus {
  checkKeys(options, OPTIONS, 'nats(options)');
  const { servers: given, ...access } = options;
  const servers = checkServers(given);
  const bus: BusPort = {
    name: 'nats',
    join: (channel, listener, { clock }) =>
      new NatsConnection({
        dial: (heard) => dial(servers, access, subjectOf(channel), heard),
        listener,
        clock,
        name: `NATS at ${servers.map(({ protocol, host }) => `${protocol}//${host}`).join(', ')}`,
      }),
  };
  return Object.freeze(bus);
}

/** What NATS takes for wildcards, or for the end of a word, is a word here. */
const subjectOf = (channel: string): string =>
  channel.replace(/[^\w:-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) || '%';

function checkServers(given: NatsOptions['servers']): readonly URL[] {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (all.length === 0) throw new TypeError('servers must be one url or more');
  const urls = all.map(urlOf);
  const [first] = urls;
  const isSame = ({ protocol, username, password }: URL): boolean =>
    protocol === first?.protocol && username === first.username && password === first.password;
  if (!urls.every(isSame)) throw new TypeError('servers must have the same user, password and protocol');
  return urls;
}

/** A password may stand in it: what is wrong with it is said without it. */
function urlOf(given: unknown): URL {
  const text = given instanceof URL ? given.href : given;
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !/^(nats|tls):$/.test(url.protocol))
    throw new TypeError('servers must be nats://… or tls://…');
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new TypeError('servers must write what is special in a user or password as in a url: % as %25');
  }
  return url;
}
