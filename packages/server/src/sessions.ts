import {
  CloseCode,
  FrameError,
  type Listeners,
  prefixOf,
  type Scope,
  type TransportEnd,
} from '@holdfast/protocol';
import { after, type InOrder, unawaited } from './answer.js';
import type { Arrival, Memberships } from './arrival.js';
import { Attachment, type AttachmentSurroundings } from './attachment.js';
import { Deadlines } from './deadlines.js';
import { Endings } from './endings.js';
import type { Hub } from './hub/hub.js';
import type { Middleware } from './hub/middleware.js';
import type { Report, Router } from './hub/router.js';
import { type SessionFacadeSurroundings, sessionFacade } from './hub/session-facade.js';
import type { MessageRates } from './limits/message-rate.js';
import { Lookout } from './lookout.js';
import type { ServerPorts } from './ports/ports.js';
import type { Answer, EndCall, Note, Orphan, Writing } from './ports/store.js';
import { Session, type SessionSurroundings } from './session.js';
import type { ServerSettings } from './settings.js';
import type { RetryingStore } from './store/retrying-store.js';
import { Sweeper } from './sweeper.js';
import type { SessionEnd } from './types.js';

const STORE_HAS_LOST = 'the store has lost this session';
/** A note comes on another connection than the answers of the store, and may be overtaken by those. */
const NOTE_MS = 500;

/** What the sessions need of their server. */
export interface SessionsSurroundings {
  readonly ports: ServerPorts;
  readonly settings: ServerSettings;
  readonly store: RetryingStore;
  readonly node: string;
  readonly hub: Hub;
  readonly router: Router;
  readonly middleware: Middleware;
  readonly rates: MessageRates;
  /** `session`, `session-end`, `attach`, `detach`; the first two also of a namespace: `session/admin#`. */
  readonly lifecycle: Listeners;
  readonly failed: Report;
  readonly nextCall: () => number;
  readonly lookups: InOrder;
  /** The last connection is gone. */
  emptied(): void;
}

/** Sessions come and go: bound to connections, waiting for their clients, ended, adopted. */
export class Sessions {
  readonly #around: SessionsSurroundings;
  readonly #aroundConnections: AttachmentSurroundings;
  readonly #aroundSessions: SessionSurroundings;
  readonly #sweeper: Sweeper;
  readonly #lookout: Lookout;
  /** Hears of calls to the store that nobody waits for. */
  readonly #storeCalls = {
    failed: (error: unknown): void => this.#around.failed(error, { name: 'store' }),
  };
  /** Connections with a session. */
  #connections = 0;
  /** Sessions whose end the store has been told of and has not answered. */
  readonly #ending = new Set<string>();
  readonly endings: Endings;
  /** Gone from the store; a note that says why may be on its way. Each with what cancels the waiting for that. */
  readonly #awaited = new Map<Session, () => void>();

  constructor(around: SessionsSurroundings) {
    this.#around = around;
    this.endings = new Endings(around.ports.clock, around.lookups);
    this.#aroundConnections = this.#surroundingsOfConnections();
    this.#aroundSessions = this.#surroundingsOfSessions();
    const { ports, settings, store, hub } = around;
    const { failed } = this.#storeCalls;
    this.#lookout = new Lookout({
      clock: ports.clock,
      store,
      sessions: hub.sessions,
      // Others may have written to its client, and nobody has said what.
      gone: (session) => this.#forget(session, { reason: 'lost', undelivered: 0 }, []),
      left: (session, name) => hub.moved({ sid: session.id, move: { name } }),
      failed,
    });
    this.#sweeper = new Sweeper({
      clock: ports.clock,
      store,
      sessionTtlMs: settings.sessionTtlMs,
      sessions: hub.sessions,
      lookOut: () => this.#lookout.look(settings.sessionTtlMs),
      make: (orphan) => this.#adopt(orphan),
      expire: (sid) => this.endFor(sid, 'expired'),
      failed,
    });
    // Sessions of an earlier life of this server may wait in the store.
    if (ports.store) this.#sweeper.look();
  }

  get connections(): number {
    return this.#connections;
  }

  stop(): void {
    this.#sweeper.stop();
  }

  /** True if nobody is connected and nothing runs. */
  get idle(): boolean {
    const isBusy = [...this.#around.hub.sessions.values()].some((session) => session.busy);
    return this.#connections === 0 && !isBusy && !this.#sweeper.busy;
  }

  /**
   * Binds a connection to its session. `greet` writes the WELCOME, and what follows it at once. False if the session has
   * a newer one.
   */
  arrive(arrival: Arrival, greet: (attachment: Attachment) => void): boolean {
    // What waits for its client in the store is encoded already.
    if (arrival.attached.codec !== arrival.codec.name) {
      throw new FrameError(`this session speaks ${arrival.attached.codec}, not ${arrival.codec.name}`);
    }
    const { epoch, gen } = arrival.owner;
    const known = this.#around.hub.sessions.get(arrival.id);
    if (known?.life?.epoch === epoch && known.gen > gen) return false;
    const session = this.#sessionOf(arrival);
    session.address = arrival.handshake.address;
    session.identified(arrival);
    const attachment = new Attachment(session, arrival, this.#aroundConnections);
    const before = session.attachment;
    session.attachment = attachment;
    this.#connections++;
    greet(attachment);
    // The one before, if this server still believes in it. After the WELCOME: who moves over is never without any.
    before?.drop(CloseCode.SUPERSEDED, 'superseded');
    this.#sweeper.later();
    this.#ready(attachment, arrival);
    return true;
  }

  #surroundingsOfConnections(): AttachmentSurroundings {
    const { ports, settings, hub, store, router, failed } = this.#around;
    const { clock, random } = ports;
    const { sessionTtlMs, maxBufferedBytes, slowConsumerMs, burst, heartbeatMs, observe } = settings;
    return {
      clock,
      deadlines: new Deadlines(clock),
      store,
      openRoom: (of, room, position) => hub.open(of.session, of, room, position),
      maxBufferedBytes,
      slowConsumerMs,
      burst,
      heartbeatMs: () => Math.ceil(heartbeatMs * (0.9 + 0.2 * random.fraction())),
      touchMs: Math.max(10, sessionTtlMs / 3),
      check: (...item) => router.check(...item),
      hear: (of, item) => router.hear(of, item),
      observe,
      bye: (of) => this.endFor(of.id, 'closed'),
      lost: (attachment) => {
        if (this.#ending.has(attachment.session.id)) attachment.drop(CloseCode.NORMAL, '');
        else this.#awaitEnd(attachment.session);
      },
      detached: (of, end) => this.#detached(of, end),
      failed: (error, name, of) => failed(error, { name, sessionId: of.id }),
    };
  }

  #detached(attachment: Attachment, { code, reason }: Pick<TransportEnd, 'code' | 'reason'>): void {
    const { session } = attachment;
    this.#connections--;
    // Unless another one has taken its place: then the session was never without.
    if (session.attachment === attachment) {
      session.detached();
      this.#around.hub.rollCall.setAttached(session, false);
    }
    this.#around.settings.observe.detached({ sessionId: session.id, code, reason });
    this.#tell('detach', session, { code, reason });
    if (this.#connections === 0) this.#around.emptied();
  }

  /** What listeners are given of a session is made when there are any. */
  #tell(event: 'session' | 'session-end' | 'attach' | 'detach', session: Session, what?: object): void {
    const { lifecycle } = this.#around;
    if (lifecycle.has(event)) lifecycle.emit(event, session.facadeIn(''), ...(what ? [what] : []));
  }

  #sessionOf({ id, user, codec, attached }: Pick<Arrival, 'id' | 'user' | 'codec' | 'attached'>): Session {
    const known = this.#around.hub.sessions.get(id);
    // The store has lost it; its client, who never heard of it, has made it anew.
    if (known?.life && known.life.epoch !== attached.epoch) this.lost(known);
    const session = this.#around.hub.sessions.get(id) ?? this.#makeSession({ id, user, codec });
    session.attached(attached);
    return session;
  }

  #makeSession(who: Pick<Session, 'id' | 'user' | 'codec'>): Session {
    const session = new Session(who, this.#aroundSessions);
    this.#around.hub.sessions.set(who.id, session);
    return session;
  }

  #surroundingsOfSessions(): SessionSurroundings {
    const { ports, store, node, settings, hub, router, rates, failed, nextCall } = this.#around;
    const { clock, random } = ports;
    // A server that shares the store may know namespaces that this one does not.
    const scopeOf = (prefix: string): Scope =>
      settings.scopes.of(prefix) ?? { prefix, contract: undefined, schemas: undefined };
    const behind = (scope: Scope): SessionFacadeSurroundings => ({
      clock,
      random,
      scope,
      hub,
      store,
      end: this.end,
    });
    const outside = behind(settings.scopes.root);
    return {
      clock,
      store,
      node,
      rates,
      concurrency: settings.concurrency,
      observe: settings.observe,
      run: (of, item, aborter, hold) => router.run(of, item, aborter, hold),
      report: (error, name, of) => failed(error, { name, sessionId: of.id }),
      facade: (of, prefix) => sessionFacade(of, prefix === '' ? outside : behind(scopeOf(prefix))),
      setRooms: (of, rooms) => hub.setRooms(of, rooms),
      movedLate: (of, before) => clock.defer(() => this.#readmitLate(of, before)),
      nextCall,
    };
  }

  /** It has come into a namespace by a join of before its connection: nobody has asked whether it still may. */
  #readmitLate(session: Session, before: Memberships): void {
    const homes = [...session.rooms].filter((room) => room === prefixOf(room) && !before.has(room));
    const { attachment } = session;
    if (!attachment || homes.length === 0) return;
    const { hub, middleware } = this.#around;
    const readmitted = after(middleware.left(session.facadeIn(''), homes, attachment.handshake), (left) =>
      Promise.all(left.map((home) => hub.move(session.id, home, 'out'))),
    );
    unawaited(readmitted, this.#storeCalls);
  }

  #ready(attachment: Attachment, { attached }: Arrival): void {
    const { session } = attachment;
    this.#around.hub.rollCall.setAttached(session, true);
    if (attached.status === 'new') attachment.openRooms();
    // A second WELCOME of a session whose first was lost is no second session.
    if (attached.status === 'new' && attached.previous === 0) this.#tell('session', session);
    // Who was told of it may have ended it: then its `detach` has been told.
    if (session.ended) return;
    this.#tell('attach', session, { recovered: attached.status === 'resumed' });
    // Of one that has just been made, nothing can be waiting.
    if (attached.previous > 0) session.runner.wake();
  }

  /** Ends a session, here or elsewhere, in the name of the application. What that has said to it before comes before. */
  readonly end = (sid: string, reason: string): Answer<void> => {
    const session = this.#around.hub.sessions.get(sid);
    const ended = after(this.endings.patiently(session), () =>
      this.#endInStore({ sid, why: 'ended', reason }),
    );
    if (ended instanceof Promise) this.endings.begun(session, ended);
    return ended;
  };

  #endInStore(call: EndCall): Answer<void> {
    // While the store still has it: what was published before is told before.
    this.#around.hub.tellNow();
    this.#ending.add(call.sid);
    return after(this.#around.store.end(call), () => void this.#ending.delete(call.sid));
  }

  /** Ends a session because of what has become of it. */
  endFor(sid: string, why: EndCall['why']): void {
    const ended = this.#endInStore({ sid, why, idleMs: this.#around.settings.sessionTtlMs });
    unawaited(ended, this.#storeCalls);
  }

  /** Another server may have ended it: then the note of that is on its way. */
  #awaitEnd(session: Session): void {
    if (session.ended || this.#awaited.has(session)) return;
    const cancel = this.#around.ports.clock.setTimer(() => this.lost(session), NOTE_MS);
    this.#awaited.set(session, cancel);
  }

  #awaitNoMore(session: Session): void {
    this.#awaited.get(session)?.();
    this.#awaited.delete(session);
  }

  /** The store has lost it, or is lost with this server. */
  lost(session: Session): void {
    this.#around.hub.tellNow();
    session.attachment?.drop(CloseCode.RESTART, STORE_HAS_LOST);
    this.#forget(session, { reason: 'lost', undelivered: 0 });
  }

  /** This server goes away, and the session goes on at another one: it has not ended, but nothing more is heard of it here. */
  leave(session: Session): void {
    if (session.ended) return;
    this.#awaitNoMore(session);
    this.#around.hub.remove(session);
    session.end([], 'elsewhere');
    this.#sweeper.leave(session);
  }

  #forget(session: Session, end: SessionEnd, unwritten?: readonly Writing[]): void {
    if (session.ended) return;
    this.#awaitNoMore(session);
    session.attachment?.drop(CloseCode.NORMAL, '');
    this.#around.hub.remove(session, end.reason === 'lost' ? 'lost' : 'known');
    const { lifecycle } = this.#around;
    for (const room of session.rooms) {
      if (room !== prefixOf(room)) continue;
      lifecycle.emit(`session-end${room}`, session.facadeIn(room), { reason: end.reason });
    }
    this.#observeEnd(session.id, end);
    this.#tell('session-end', session, end);
    session.end(unwritten);
    this.#sweeper.retire(session);
    if (this.#around.hub.sessions.size === 0) this.#sweeper.look();
  }

  #observeEnd(sessionId: string, { reason, undelivered }: SessionEnd): void {
    const { observe } = this.#around.settings;
    observe.ended({ sessionId, reason, undelivered });
    if (undelivered > 0) observe.dropped({ sessionId, reason: 'session-ended', messages: undelivered });
  }

  /** What stands here for a session that nobody else looks after. */
  #adopt({ sid, user, codec: name, ended, data }: Orphan): Session {
    const { codecs } = this.#around.settings;
    const codec = codecs.find((one) => one.name === name) ?? codecs[0];
    const session = this.#makeSession({ id: sid, user, codec });
    session.data.told(data);
    if (ended) this.#around.hub.remove(session);
    return session;
  }

  // ── What the store tells ───────────────────────────────────────────────────────────────────────────────────

  /** Whoever is here is looked at as if something had been told of it, and of the rooms that it is in. */
  #missed(): void {
    const { hub } = this.#around;
    const rooms = new Set<string>();
    for (const session of hub.sessions.values()) {
      for (const room of session.rooms) rooms.add(room);
      session.moved();
      session.attachment?.wake();
    }
    for (const room of rooms) hub.grown(room);
    this.#lookout.look(0);
    hub.rollCall.missed();
  }

  noted(note: Note): void {
    if (note.about === 'room') return this.#around.hub.grown(note.room);
    if (note.about === 'cast') return this.#around.hub.tellCast(note);
    if (note.about === 'present') return this.#around.hub.rollCall.heard(note);
    if (note.about === 'missed') return this.#missed();
    const session = this.#around.hub.sessions.get(note.sid);
    if (!session) return;
    switch (note.about) {
      case 'session':
        return session.attachment?.wake();
      case 'attach':
        // Generations of another life of the store say nothing: the client asks again.
        if (session.life?.epoch !== note.epoch)
          return session.attachment?.drop(CloseCode.RESTART, STORE_HAS_LOST);
        session.newestGen = Math.max(session.newestGen, note.gen);
        if (session.attachment && session.attachment.gen < note.gen) session.attachment.retire();
        return;
      case 'taken':
        return session.taken(note.written);
      case 'cancel':
        if (note.holder === this.#around.node) for (const seq of note.seqs) session.cancel(seq);
        return;
      case 'move':
        return this.#around.hub.moved(note);
      case 'overflow':
        return session.overflowed(note.gone);
      case 'answer':
        if (note.written.writer === this.#around.node)
          session.asking.answeredElsewhere(note.written.w, note.answer);
        return;
      case 'end': {
        if (note.gen < session.gen) return;
        this.#around.hub.tellNow();
        if (note.reason !== undefined) session.attachment?.end(note.reason);
        // In another epoch the store has lost its last writes: it does not know what was written.
        const unwritten = note.epoch === session.life?.epoch ? note.unwritten : [];
        return this.#forget(session, { reason: note.why, undelivered: note.undelivered }, unwritten);
      }
    }
  }
}
