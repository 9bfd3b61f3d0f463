import { CloseCode, type EventItem, Listeners, Type } from '@holdfast/protocol';
import { ConnectionHandshake } from './gateway/handshake.js';
import { Upgrades } from './gateway/upgrade.js';
import { Hub } from './hub/hub.js';
import { sendEvent } from './hub/outgoing.js';
import { type Report, Router } from './hub/router.js';
import { Rules } from './hub/rules.js';
import type { Acceptor, ServerPorts } from './ports/ports.js';
import { Session } from './session.js';
import type { ServerSettings } from './settings.js';
import type { ServerSession, ServerStats, User } from './types.js';

/** How long clients have to close their end until their sockets are ended without them. */
const CLOSE_TIMEOUT_MS = 500;

/** Puts the rooms of the house together: gateway, sessions, hub, router. */
export class ServerCore {
  readonly ports: ServerPorts;
  readonly settings: ServerSettings;
  readonly hub: Hub;
  readonly rules = new Rules();
  readonly router: Router;
  readonly upgrades: Upgrades;
  /** `session`, `session-end`. */
  readonly lifecycle: Listeners;
  readonly errors: Listeners;
  #phase: 'open' | 'closed' = 'open';
  /** Connections without a session yet. */
  readonly #arriving = new Set<ConnectionHandshake>();
  #messagesOut = 0;
  #errorCount = 0;

  constructor(ports: ServerPorts, settings: ServerSettings) {
    this.ports = ports;
    this.settings = settings;
    const { schemas, maxRooms, codecs, logger } = settings;
    this.hub = new Hub(ports, codecs[0]);
    this.lifecycle = new Listeners((error, name) => this.failed(error, { name }));
    this.errors = new Listeners((error) => logger.error('Holdfast: a listener of onError failed', error));
    this.router = new Router(ports, { schemas, maxRooms }, this, this.failed);
    this.upgrades = new Upgrades(settings, this.accept);
  }

  /** Something of the application's own failed. */
  readonly failed: Report = (error, where) => {
    this.#errorCount++;
    if (!this.errors.emit('error', error, where)) {
      this.settings.logger.error(`Holdfast: '${where.name}' failed`, error);
    }
  };

  /** A connection stands: from here on it is between the client and its handshake. */
  readonly accept: Acceptor = (transport, codec, handshake) => {
    const { auth, heartbeatMs, maxMessageBytes, maxBufferedBytes } = this.settings;
    const varied = heartbeatMs * (0.9 + 0.2 * this.ports.random.fraction());
    const begin = (user: User | undefined, broken: (error: unknown) => void): Session => {
      const id = this.ports.random.id();
      const { address } = handshake;
      const session = new Session({ id, user: user ?? { id }, address, codec }, transport, {
        clock: this.ports.clock,
        heartbeatMs: varied,
        maxBufferedBytes,
        accept: (of, seq, item) => this.router.accept(of, seq, item),
        door: (of) => this.#door(of),
        wrote: (messages) => {
          this.#messagesOut += messages;
        },
        ended: (of, reason) => this.#ended(of, reason),
        broken,
      });
      this.hub.sessions.set(id, session);
      return session;
    };
    const connection = new ConnectionHandshake(
      {
        ports: this.ports,
        auth,
        heartbeatMs,
        maxMessageBytes,
        begin,
        ready: (session) => {
          this.#arriving.delete(connection);
          this.lifecycle.emit('session', session.door);
        },
        gone: () => this.#arriving.delete(connection),
        failed: (error, name) => this.failed(error, { name }),
      },
      transport,
      codec,
      handshake,
    );
    this.#arriving.add(connection);
    if (this.#phase === 'closed') connection.hangUp(CloseCode.RESTART, 'the server is going down');
    return connection;
  };

  stats(): ServerStats {
    const { hub } = this;
    return {
      connections: hub.sessions.size,
      sessions: hub.sessions.size,
      users: hub.users,
      rooms: hub.rooms,
      messagesIn: this.router.accepted,
      messagesOut: this.#messagesOut,
      errors: this.#errorCount,
    };
  }

  /** Ends everything; resolves when no client is left. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    const gone = this.upgrades.close();
    for (const session of [...this.hub.sessions.values()]) {
      session.drop(CloseCode.RESTART, 'the server is going down');
    }
    for (const connection of this.#arriving) connection.hangUp(CloseCode.RESTART, 'the server is going down');
    this.hub.close();
    const cancel = this.ports.clock.setTimer(() => this.upgrades.terminate(), CLOSE_TIMEOUT_MS);
    await gone;
    cancel();
  }

  /** What handlers are given of a session. */
  #door(session: Session): ServerSession {
    const around = { random: this.ports.random, schemas: this.settings.schemas };
    const { id, user, rooms, address } = session;
    return Object.freeze<ServerSession>({
      id,
      user,
      rooms,
      address,
      send: (event: string, payload?: unknown, options?: { id?: string | undefined }) =>
        sendEvent(around, { event, payload, options }, (messageId) => {
          const at = Math.floor(this.ports.clock.now());
          const meta = { i: messageId, t: at, u: payload === undefined ? 1 : undefined } as const;
          const item: EventItem = [Type.EVT, event, payload, meta];
          return session.send(item, messageId);
        }),
    });
  }

  #ended(session: Session, reason: 'closed' | 'lost'): void {
    this.hub.sessions.delete(session.id);
    for (const room of session.rooms) this.hub.leave(session, room, this.rules.for(room).presence ?? false);
    this.lifecycle.emit('session-end', session.door, { reason });
  }
}
