import { CloseCode, Listeners } from '@holdfast/protocol';
import { after, InOrder } from './answer.js';
import type { Memberships } from './arrival.js';
import { Draining } from './draining.js';
import { ConnectionHandshake } from './gateway/handshake.js';
import type { Arriving, HandshakeSurroundings } from './gateway/handshake-surroundings.js';
import { Revocations } from './gateway/revocations.js';
import { Upgrades } from './gateway/upgrade.js';
import { Direct } from './hub/direct.js';
import { Hub } from './hub/hub.js';
import { Middleware } from './hub/middleware.js';
import { type Report, Router } from './hub/router.js';
import { Rules } from './hub/rules.js';
import { Admission } from './limits/admission.js';
import { ConnectionLimits, type ConnectionPlace } from './limits/connections.js';
import { MessageRates } from './limits/message-rate.js';
import type { ClusterConnection, ClusterSurroundings } from './ports/cluster.js';
import type { Acceptor, ServerPorts } from './ports/ports.js';
import type { Answer } from './ports/store.js';
import { Sessions } from './sessions.js';
import type { ServerSettings } from './settings.js';
import { MemoryStore } from './store/memory-store.js';
import { type RetryingStore, retryingStore } from './store/retrying-store.js';
import type { EnteringSession, Handshake, ServerStats } from './types.js';

/** How long clients have to close their end until their sockets are ended without them. */
const CLOSE_TIMEOUT_MS = 500;
const GOING_DOWN = 'the server is going down';
/** Close reason for who dials a server that is draining: to come again in a second. Of a refusal, a browser shows no more. */
const NOT_HERE = 'ra=1000';

/** Puts the parts of a server together: gateway, sessions, hub, router, and the store below them. */
export class ServerCore {
  readonly ports: ServerPorts;
  readonly settings: ServerSettings;
  readonly store: RetryingStore;
  /** Id of this server among those that share its store. */
  readonly node: string;
  readonly hub: Hub;
  readonly direct: Direct;
  readonly lookups = new InOrder();
  readonly rules = new Rules();
  readonly router: Router;
  readonly middleware: Middleware;
  readonly revocations: Revocations;
  readonly upgrades: Upgrades;
  /** `session`, `session-end`, `attach`, `detach`. */
  readonly lifecycle: Listeners;
  readonly errors: Listeners;
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #draining: Draining | undefined;
  #closing: Promise<void> | undefined;
  /** Connections without a session yet. */
  readonly #arriving = new Set<Arriving>();
  readonly #admission: Admission;
  readonly #limits: ConnectionLimits;
  readonly #aroundHandshakes: HandshakeSurroundings;
  readonly #sessions: Sessions;
  /** Ends a session, here or elsewhere, in the name of the application. */
  readonly end: Sessions['end'];
  readonly #cluster: ClusterConnection | undefined;
  readonly #stopListening: () => void;
  #calls = 0;

  constructor(ports: ServerPorts, settings: ServerSettings) {
    this.ports = ports;
    this.settings = settings;
    const storeFailed = (error: unknown): void => this.failed(error, { name: 'store' });
    this.#cluster = settings.cluster?.connect({ ...ports, away: this.#away });
    const kept = this.#cluster?.store ?? ports.store ?? new MemoryStore(ports);
    this.store = retryingStore(kept, { ...ports, observe: settings.observe, failed: storeFailed });
    // Whoever asks whether this server is ready wants to know whether it has found its store.
    if (this.#cluster) this.store.health.look();
    this.node = ports.random.id();
    const { scopes, maxRooms, codecs, logger, concurrency, observe } = settings;
    const { store, node, rules } = this;
    this.lifecycle = new Listeners((error, name) => this.failed(error, { name }));
    this.errors = new Listeners((error) => logger.error('Holdfast: a listener of onError failed', error));
    const failed = (error: unknown, name: string): void => this.failed(error, { name });
    this.middleware = new Middleware({ clock: ports.clock, scopes, failed });
    this.hub = new Hub({
      ports,
      store,
      node,
      isShared: this.#cluster !== undefined || ports.store !== undefined,
      codec: codecs[0],
      rules,
      scopes,
      nextCall: this.#nextCall,
      entered: (session, prefix) => this.lifecycle.emit(`session${prefix}`, session.facadeIn(prefix)),
      left: (session, prefix, reason) =>
        this.lifecycle.emit(`session-end${prefix}`, session.facadeIn(prefix), { reason }),
      failed: storeFailed,
    });
    this.direct = new Direct({
      store,
      node,
      codecs,
      sessions: this.hub.sessions,
      now: () => Math.floor(ports.clock.now()),
      nextCall: this.#nextCall,
    });
    this.router = new Router({
      ports,
      scopes,
      middleware: this.middleware,
      hub: this.hub,
      rules,
      maxRooms,
      concurrency,
      observe,
      report: this.failed,
    });
    this.#sessions = new Sessions({
      ...{ ports, settings, store, node, hub: this.hub, router: this.router, lifecycle: this.lifecycle },
      ...{ middleware: this.middleware, rates: new MessageRates(settings), failed: this.failed },
      nextCall: this.#nextCall,
      lookups: this.lookups,
      emptied: () => this.#draining?.look(),
    });
    this.end = this.#sessions.end;
    const end = (sid: string): void => this.#sessions.endFor(sid, 'ended');
    const tellNow = (): void => this.hub.tellNow();
    this.revocations = new Revocations({ ...ports, sessions: this.hub.sessions, tellNow, end });
    this.#admission = new Admission(settings.acceptPerSecond);
    this.#limits = new ConnectionLimits(settings);
    this.#aroundHandshakes = this.#surroundingsOfHandshakes();
    this.upgrades = new Upgrades(settings, this);
    this.#stopListening = store.listen((note) => this.#sessions.noted(note));
  }

  /** What all connections need until they have a session: one for all of them, since there are many. */
  #surroundingsOfHandshakes(): HandshakeSurroundings {
    const { settings } = this;
    return {
      ...settings,
      ports: this.ports,
      store: this.store,
      node: this.node,
      admission: this.#admission,
      connections: this.#limits,
      middleware: this.middleware.of(settings.scopes.root).sessions,
      revocations: this.revocations,
      spreadMs: () => this.#admission.spreadMs(this.#sessions.connections),
      readmit: (session, rooms, handshake) => this.#readmit(session, rooms, handshake),
      arrive: (from, arrival, greet) =>
        this.#sessions.arrive(arrival, (attachment) => {
          this.#arriving.delete(from);
          greet(attachment);
        }),
      gone: (connection) => this.#arriving.delete(connection),
      failed: (error, name) => this.failed(error, { name }),
    };
  }

  /** Something of the application's own failed. */
  readonly failed: Report = (error, where) => {
    this.settings.observe.failed(where);
    if (!this.errors.emit('error', error, where)) this.settings.logFailure(error, where);
  };

  /** A connection stands: from here on it is between the client and its handshake. */
  readonly accept: Acceptor = (transport, codec, handshake, token, identity) => {
    const come = { transport, codec, handshake, token, identity };
    const connection = new ConnectionHandshake(this.#aroundHandshakes, come);
    this.#arriving.add(connection);
    connection.knock();
    if (this.#phase !== 'open') {
      connection.hangUp(CloseCode.RESTART, this.#phase === 'closed' ? GOING_DOWN : NOT_HERE);
    }
    return connection;
  };

  readonly placeOf = (address: string): ConnectionPlace => this.#limits.place(address);

  /** What its namespaces say to a session that comes back: it is taken out of those that let it in no more. */
  #readmit(session: EnteringSession, rooms: Memberships, handshake: Handshake): Answer<Memberships> {
    return after(this.middleware.left(session, rooms.keys(), handshake), (left) => {
      if (left.length === 0) return rooms;
      const moved = Promise.all(left.map((room) => this.hub.move(session.id, room, 'out')));
      return moved.then(() => new Map([...rooms].filter(([room]) => !left.includes(room))));
    });
  }

  stats(): ServerStats {
    const { hub } = this;
    const { messagesIn, messagesOut, errors } = this.settings.counts;
    return {
      connections: this.#sessions.connections,
      sessions: hub.sessions.size,
      users: hub.users,
      rooms: hub.rooms,
      outboxBytes: this.store.heldBytes,
      messagesIn,
      messagesOut,
      errors,
      degraded: this.store.health.degraded,
      draining: this.#phase !== 'open',
    };
  }

  /** Moves the clients away; resolves when they have gone, or when there is no more time. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'draining';
      // One that is alone says in band when to come again, since a browser learns nothing of what HTTP says.
      if (this.#cluster) this.upgrades.sendElsewhere();
      // Before they are asked to move: what they dial next must not come in here again.
      this.upgrades.retire();
      const { clock, random } = this.ports;
      const { acceptPerSecond } = this.settings;
      const isOver = (): boolean => this.#sessions.idle;
      this.#draining = new Draining({ clock, random, acceptPerSecond, deadlineMs, isOver });
      for (const connection of this.#arriving) connection.hangUp(CloseCode.RESTART, NOT_HERE);
      this.#draining.ask([...this.hub.sessions.values()].flatMap(({ attachment }) => attachment ?? []));
      if (this.#sessions.connections === 0) this.#draining.look();
    }
    await this.#draining?.over;
  }

  /** Ends everything; resolves when no client is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#phase = 'closed';
    this.#draining?.end();
    const endings = this.#sessions.endings.over();
    if (endings) await endings;
    this.#stopListening();
    this.hub.tellNow();
    const gone = this.upgrades.close();
    for (const session of [...this.hub.sessions.values()]) {
      session.attachment?.drop(CloseCode.RESTART, GOING_DOWN);
      if (this.#cluster) this.#sessions.leave(session);
      else this.#sessions.lost(session);
    }
    this.#sessions.stop();
    this.hub.rollCall.stop();
    for (const connection of this.#arriving) connection.hangUp(CloseCode.RESTART, GOING_DOWN);
    const cancel = this.ports.clock.setTimer(() => this.upgrades.terminate(), CLOSE_TIMEOUT_MS);
    this.store.stop();
    await gone;
    cancel();
    try {
      await this.#cluster?.close();
    } finally {
      // What the store has answered until now has been told.
      this.store.backlog.close();
    }
  }

  readonly #away: ClusterSurroundings['away'] = (error, back) => this.store.health.away(error, back);

  readonly #nextCall = (): number => ++this.#calls;
}
