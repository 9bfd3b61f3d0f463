import type { HoldfastServer, ServerOptions, ServerSession } from '@holdfast/server';
import { json } from '@holdfast/server';
import { createServerOn, MemoryStore, negotiate, SharedSocket, systemDigest } from '@holdfast/server/ports';
import { MemoryNetwork, seededRandom, VirtualClock } from '@holdfast/testing';
import { silent } from './people.js';
import { TabBrowser } from './tab-browser.js';

const SHARED = 'holdfast.v1.shared';
const MAX_BYTES = 1_048_576;

/** A server and a browser with tabs. */
export interface TabsBed {
  readonly clock: VirtualClock;
  readonly server: HoldfastServer;
  readonly browser: TabBrowser;
  /** Sessions by user, which is the name of the tab. */
  readonly sessions: Map<string, ServerSession[]>;
  /** Of each user, what has been handled. */
  readonly heard: Map<string, unknown[]>;
  readonly sockets: Set<SharedSocket>;
  /** Whether the server shares sockets. */
  shares: boolean;
}

export function tabsBed(seed = 1, options: ServerOptions = {}): TabsBed {
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const network = new MemoryNetwork(clock, 5);
  const store = new MemoryStore({ clock, random });
  const auth = (token = '') => ({ user: { id: token } });
  const { server, accept } = createServerOn(
    { clock, random, digest: systemDigest, logger: silent, store },
    { auth, ...options },
  );
  const sessions: TabsBed['sessions'] = new Map();
  const heard: TabsBed['heard'] = new Map();
  server.onSession((session) => {
    const { id } = session.user;
    sessions.set(id, [...(sessions.get(id) ?? []), session]);
  });
  server.on('note', (payload, { session }) => {
    const { id } = session.user;
    heard.set(id, [...(heard.get(id) ?? []), payload]);
  });
  const sockets = new Set<SharedSocket>();
  const bed = {
    clock,
    server,
    browser: new TabBrowser(clock, network),
    sessions,
    heard,
    sockets,
    shares: true,
  };
  const codecs = [json()];
  network.listener = {
    connect(offered, address) {
      if (bed.shares && offered.includes(SHARED)) {
        return {
          protocol: SHARED,
          serve: (transport) => {
            const maxBufferedBytes = options.limits?.maxBufferedBytes ?? MAX_BYTES;
            const socket = new SharedSocket(transport, {
              clock,
              maxMessageBytes: MAX_BYTES,
              maxBufferedBytes,
              open: ({ protocols, accept: take, refuse }) => {
                const result = negotiate(protocols, codecs);
                if (result.outcome !== 'agreed') return refuse(4400, 'no common subprotocol');
                take(result.protocol, (connection) => accept(connection, result.codec, { address }));
              },
            });
            sockets.add(socket);
            return socket;
          },
        };
      }
      const result = negotiate(
        offered.filter((one) => one !== SHARED),
        codecs,
      );
      if (result.outcome !== 'agreed') return { refused: result.outcome };
      const { protocol, codec } = result;
      return { protocol, serve: (transport) => accept(transport, codec, { address }) };
    },
  };
  return bed;
}
