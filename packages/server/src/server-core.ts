import { CloseCode, FrameError, Listeners, type TransportEnd } from '@holdfast/protocol';
import { after } from './answer.js';
import { Attachment } from './attachment.js';
import { Draining } from './draining.js';
import { type Arrival, ConnectionHandshake } from './gateway/handshake.js';
import { MiddlewareChain } from './gateway/middleware.js';
import { Revocations } from './gateway/revocations.js';
import { Upgrades } from './gateway/upgrade.js';
import { Direct } from './hub/direct.js';
import { doorOf } from './hub/door.js';
import { Hub } from './hub/hub.js';
import { type Report, Router } from './hub/router.js';
import { Rules } from './hub/rules.js';
import { Admission } from './limits/admission.js';
import { ConnectionLimits } from './limits/connections.js';
import { MessageRates } from './limits/message-rate.js';
import type { Acceptor, ServerPorts } from './ports/ports.js';
import type { Answer, EndCall, Note, Orphan, Writing } from './ports/store.js';
import { Session } from './session.js';
import type { ServerSettings } from './settings.js';
import { MemoryStore } from './store/memory-store.js';
import { type RetryingStore, retryingStore } from './store/retrying-store.js';
import { Sweeper } from './sweeper.js';
import type { ServerStats, SessionEnd } from './types.js';

/** How long clients have to close their end until their sockets are ended without them. */
const CLOSE_TIMEOUT_MS = 500;
const STORE_HAS_LOST = 'the store has lost this session';
const GOING_DOWN = 'the server is going down';
/** To who dials a server that is draining: this word is all that a browser tells of a refusal. */
const NOT_HERE = 'ra=1000';

/** Puts the rooms of the house together: gateway, sessions, hub, router, and the store below them. */
export class ServerCore {
  readonly ports: ServerPorts;
  readonly settings: ServerSettings;
  readonly store: RetryingStore;
  /** Id of this server among those that share its store. */
  readonly node: string;
  readonly hub: Hub;
  readonly direct: Direct;
  readonly rules = new Rules();
  readonly router: Router;
  readonly middleware = new MiddlewareChain();
  readonly revocations: Revocations;
  readonly upgrades: Upgrades;
  /** `session`, `session-end`, `attach`, `detach`. */
  readonly lifecycle: Listeners;
  readonly errors: Listeners;
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #draining: Draining | undefined;
  #closing: Promise<void> | undefined;
  /** Connections with a session. */
  #connections = 0;
  /** Connections without a session yet. */
  readonly #arriving = new Set<ConnectionHandshake>();
  /** Sessions whose end the store has been told of and has not answered. */
  readonly #ending = new Set<string>();
  readonly #admission: Admission;
  readonly #rates: MessageRates;
  readonly #limits: ConnectionLimits;
  readonly #sweeper: Sweeper;
  readonly #stopListening: () => void;
  #calls = 0;

  constructor(ports: ServerPorts, settings: ServerSettings) {
    this.ports = ports;
    this.settings = settings;
    const storeFailed = (error: unknown): void => this.failed(error, { name: 'store' });
    this.store = retryingStore(ports.store ?? new MemoryStore(ports), { ...ports, failed: storeFailed });
    this.node = ports.random.id();
    const { schemas, maxRooms, codecs, logger, concurrency, observe } = settings;
    const { store, node, rules } = this;
    this.lifecycle = new Listeners((error, name) => this.failed(error, { name }));
    this.errors = new Listeners((error) => logger.error('Holdfast: a listener of onError failed', error));
    this.hub = new Hub({
      ports,
      store,
      node,
      codec: codecs[0],
      rules,
      schemas,
      nextCall: this.#nextCall,
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
      schemas,
      hub: this.hub,
      rules,
      maxRooms,
      concurrency,
      observe,
      report: this.failed,
    });
    const end = (sid: string): void => this.#end(sid, 'ended');
    this.revocations = new Revocations({ ...ports, sessions: this.hub.sessions, end });
    this.#admission = new Admission(settings.acceptPerSecond);
    this.#rates = new MessageRates(settings);
    this.#limits = new ConnectionLimits(settings);
    this.upgrades = new Upgrades(settings, this);
    this.#sweeper = new Sweeper({
      clock: ports.clock,
      store,
      sessionTtlMs: settings.sessionTtlMs,
      sessions: this.hub.sessions,
      make: (orphan) => this.#adopted(orphan),
      expire: (sid) => this.#end(sid, 'expired'),
      failed: storeFailed,
    });
    this.#stopListening = store.listen((note) => this.#noted(note));
    // Sessions of an earlier life of this server may wait in the store.
    if (ports.store) this.#sweeper.look();
  }

  /** Something of the application's own failed. */
  readonly failed: Report = (error, where) => {
    this.settings.observe.failed(where);
    if (!this.errors.emit('error', error, where)) this.settings.logFailure(error, where);
  };

  /** A connection stands: from here on it is between the client and its handshake. */
  readonly accept: Acceptor = (transport, codec, handshake, token, identity) => {
    const connection = new ConnectionHandshake(
      {
        ...this.settings,
        ports: this.ports,
        store: this.store,
        node: this.node,
        admission: this.#admission,
        connections: this.#limits,
        middleware: this.middleware,
        revocations: this.revocations,
        spreadMs: () => this.#admission.spreadMs(this.#connections),
        arrive: (arrival, greet) => {
          this.#arrive(arrival, (attachment) => {
            this.#arriving.delete(connection);
            greet(attachment);
          });
        },
        gone: () => this.#arriving.delete(connection),
        failed: (error, name) => this.failed(error, { name }),
      },
      { transport, codec, handshake, token, identity },
    );
    this.#arriving.add(connection);
    connection.knock();
    if (this.#phase !== 'open') {
      connection.hangUp(CloseCode.RESTART, this.#phase === 'closed' ? GOING_DOWN : NOT_HERE);
    }
    return connection;
  };

  stats(): ServerStats {
    const { hub } = this;
    const { messagesIn, messagesOut, errors } = this.settings.counts;
    return {
      connections: this.#connections,
      sessions: hub.sessions.size,
      users: hub.users,
      rooms: hub.rooms,
      outboxBytes: this.store.heldBytes,
      messagesIn,
      messagesOut,
      errors,
      draining: this.#phase !== 'open',
    };
  }

  /** Moves the clients away; resolves when they have gone, or when there is no more time. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'draining';
      const { clock, random } = this.ports;
      const { acceptPerSecond } = this.settings;
      const isOver = (): boolean => this.#isIdle;
      this.#draining = new Draining({ clock, random, acceptPerSecond, deadlineMs, isOver });
      for (const connection of this.#arriving) connection.hangUp(CloseCode.RESTART, NOT_HERE);
      this.#draining.ask([...this.hub.sessions.values()].flatMap(({ attachment }) => attachment ?? []));
      if (this.#connections === 0) this.#draining.look();
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
    this.#stopListening();
    const gone = this.upgrades.close();
    for (const session of [...this.hub.sessions.values()]) {
      session.attachment?.drop(CloseCode.RESTART, GOING_DOWN);
      this.#lost(session);
    }
    this.#sweeper.stop();
    for (const connection of this.#arriving) connection.hangUp(CloseCode.RESTART, GOING_DOWN);
    const cancel = this.ports.clock.setTimer(() => this.upgrades.terminate(), CLOSE_TIMEOUT_MS);
    this.store.stop();
    await gone;
    cancel();
  }

  readonly #nextCall = (): number => ++this.#calls;

  // ── Sessions come and go ───────────────────────────────────────────────────────────────────────────────────

  get #isIdle(): boolean {
    const isBusy = [...this.hub.sessions.values()].some(({ runner }) => runner.busy);
    return this.#connections === 0 && !isBusy && !this.#sweeper.busy;
  }

  #arrive(arrival: Arrival, greet: (attachment: Attachment) => void): void {
    // What was encoded for its client stays so encoded.
    if (arrival.attached.codec !== arrival.codec.name) {
      throw new FrameError(`this session speaks ${arrival.attached.codec}, not ${arrival.codec.name}`);
    }
    const session = this.#sessionOf(arrival);
    session.address = arrival.address;
    session.identified(arrival);
    const attachment = this.#attach(session, arrival);
    const before = session.attachment;
    session.attachment = attachment;
    this.#connections++;
    greet(attachment);
    // The one before, if this server still believes in it. After the WELCOME: who moves over is never without any.
    before?.drop(CloseCode.SUPERSEDED, 'superseded');
    this.#sweeper.later();
    this.#ready(attachment, arrival);
  }

  #attach(session: Session, arrival: Arrival): Attachment {
    const { hub, store } = this;
    const { sessionTtlMs, maxBufferedBytes, burst, heartbeatMs, observe } = this.settings;
    const { clock, random } = this.ports;
    const { broken, refused, identify } = arrival;
    const attachment = new Attachment(session, arrival, {
      clock,
      store,
      openRoom: (of, room, position) => hub.open(of, room, position),
      maxBufferedBytes,
      burst,
      heartbeatMs: heartbeatMs * (0.9 + 0.2 * random.fraction()),
      touchMs: Math.max(10, sessionTtlMs / 3),
      check: (...item) => this.router.check(...item),
      hear: (of, item) => this.router.hear(of, item),
      observe,
      bye: (of) => this.#end(of.id, 'closed'),
      // Unless it is gone because it was ended: then its end is on its way.
      lost: () => {
        if (this.#ending.has(session.id)) attachment.drop(CloseCode.NORMAL, '');
        else this.#lost(session);
      },
      detached: (of, end) => this.#detached(of, end),
      broken,
      refused,
      identify,
      failed: (error, name) => this.failed(error, { name, sessionId: session.id }),
    });
    return attachment;
  }

  #detached(attachment: Attachment, { code, reason }: Pick<TransportEnd, 'code' | 'reason'>): void {
    const { session } = attachment;
    this.#connections--;
    // Unless another one has taken its place: then the session was never without.
    if (session.attachment === attachment) {
      session.detached();
      this.hub.setAttached(session, false);
    }
    this.lifecycle.emit('detach', session.door, { code, reason });
    if (this.#connections === 0) this.#draining?.look();
  }

  #sessionOf({ id, user, codec, attached }: Pick<Arrival, 'id' | 'user' | 'codec' | 'attached'>): Session {
    const known = this.hub.sessions.get(id);
    // The store has lost it; its client, who never heard of it, has made it anew.
    if (known && known.epoch !== '' && known.epoch !== attached.epoch) this.#lost(known);
    const session = this.hub.sessions.get(id) ?? this.#makeSession({ id, user, codec });
    session.attached(attached);
    return session;
  }

  #makeSession(who: Pick<Session, 'id' | 'user' | 'codec'>): Session {
    const { store, node, settings } = this;
    const { clock, random } = this.ports;
    const session = new Session(who, {
      clock,
      store,
      node,
      rate: this.#rates.of(who.user.id),
      concurrency: settings.concurrency,
      observe: settings.observe,
      run: (of, item, signal) => this.router.run(of, item, signal),
      report: (error, name, of) => this.failed(error, { name, sessionId: of.id }),
      door: (of) => doorOf(of, { clock, random, schemas: settings.schemas, hub: this.hub, end: this.end }),
      isIn: (of, rooms) => this.hub.isIn(of, rooms),
      nextCall: this.#nextCall,
    });
    this.hub.sessions.set(who.id, session);
    return session;
  }

  #ready(attachment: Attachment, { attached }: Arrival): void {
    const { session } = attachment;
    this.hub.setAttached(session, true);
    if (attached.status === 'new') attachment.openRooms();
    // A second WELCOME of a session whose first was lost is no second session.
    if (attached.status === 'new' && attached.previous === 0) this.lifecycle.emit('session', session.door);
    // Who was told of it may have ended it: then its `detach` has been told.
    if (session.ended) return;
    this.lifecycle.emit('attach', session.door, { recovered: attached.status === 'resumed' });
    session.runner.wake();
  }

  /** Ends a session, here or elsewhere, in the name of the application. */
  readonly end = (sid: string, reason: string): Answer<void> => this.#ended({ sid, why: 'ended', reason });

  #ended(call: EndCall): Answer<void> {
    this.#ending.add(call.sid);
    return after(this.store.end(call), () => {
      this.#ending.delete(call.sid);
    });
  }

  #end(sid: string, why: EndCall['why']): void {
    const ended = this.#ended({ sid, why, idleMs: this.settings.sessionTtlMs });
    if (ended instanceof Promise) ended.catch((error: unknown) => this.failed(error, { name: 'store' }));
  }

  #lost(session: Session): void {
    session.attachment?.drop(CloseCode.RESTART, STORE_HAS_LOST);
    this.#forget(session, { reason: 'lost', undelivered: 0 });
  }

  #forget(session: Session, end: SessionEnd, unwritten?: readonly Writing[]): void {
    if (session.ended) return;
    session.attachment?.drop(CloseCode.NORMAL, '');
    this.hub.remove(session);
    this.lifecycle.emit('session-end', session.door, end);
    session.end(unwritten);
    this.#sweeper.retire(session);
    if (this.hub.sessions.size === 0) this.#sweeper.look();
  }

  /** What stands here for a session that nobody else looks after. */
  #adopted({ sid, user, codec: name, ended, data }: Orphan): Session {
    const { codecs } = this.settings;
    const codec = codecs.find((one) => one.name === name) ?? codecs[0];
    const session = this.#makeSession({ id: sid, user, codec });
    session.data.told(data);
    if (ended) this.hub.remove(session);
    return session;
  }

  // ── What the store tells ───────────────────────────────────────────────────────────────────────────────────

  #noted(note: Note): void {
    if (note.about === 'room') return this.hub.told(note.room);
    if (note.about === 'cast') return this.hub.heard(note);
    const session = this.hub.sessions.get(note.sid);
    if (!session) return;
    switch (note.about) {
      case 'session':
        return session.attachment?.wake();
      case 'attach':
        // Generations of another life of the store say nothing: the client asks again.
        if (session.epoch !== note.epoch) return session.attachment?.drop(CloseCode.RESTART, STORE_HAS_LOST);
        if (session.attachment && session.attachment.gen < note.gen) {
          session.attachment.retire();
        }
        return;
      case 'move':
        return this.hub.moved(note);
      case 'answer':
        if (note.written.writer === this.node) session.asking.answeredElsewhere(note.written.w, note.answer);
        return;
      case 'end': {
        if (note.reason !== undefined) session.attachment?.end(note.reason);
        // One that has lost its last writes does not know what was written.
        const unwritten = note.epoch === session.epoch ? note.unwritten : [];
        return this.#forget(session, { reason: note.why, undelivered: note.undelivered }, unwritten);
      }
    }
  }
}
