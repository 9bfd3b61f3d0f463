import type { ClientRoom, HoldfastClient, JoinState, UndeliveredMessage } from '@holdfast/client';
import type { Chat } from '../contract.js';
import { ChatLog, type LogChange } from './chat-log.js';
import { Flight } from './flight.js';
import { Typists } from './typing.js';
import { failureWords, gapWords, lostWords } from './words.js';

/** One room that the visitor is in, or wants to be in. */
export interface RoomModel {
  readonly name: string;
  readonly room: ClientRoom<Chat>;
  readonly log: ChatLog;
  readonly typists: Typists;
  readonly stop: AbortController;
  unread: number;
}

export interface RoomsEvents {
  /** Another room is shown, or the list, a state, the members, the typists of a room have changed. */
  changed(): void;
  /** Something in the conversation of a room has changed. */
  logged(model: RoomModel, change: LogChange): void;
  /** A message has come from the server, or gone towards it. */
  moved(direction: 'in' | 'out'): void;
}

/** The conversations of this page: what is said in each room, and what becomes of what we say. */
export class Rooms {
  readonly #client: HoldfastClient<Chat>;
  readonly #events: RoomsEvents;
  readonly #models = new Map<string, RoomModel>();
  readonly #flight = new Flight();
  #current: RoomModel | undefined;

  constructor(client: HoldfastClient<Chat>, events: RoomsEvents) {
    this.#client = client;
    this.#events = events;
    client.onOutbox(() => this.#markWritten());
    client.onState(({ status }) => {
      if (status !== 'connected') for (const { typists } of this.#models.values()) typists.clear();
      events.changed();
    });
    client.onUndelivered((message, error) => {
      if (message.event !== 'message' || message.room === undefined) return;
      const log = this.#models.get(message.room)?.log;
      if (error.delivery === 'unknown') log?.setFate(message.id, { status: 'unknown', message });
      else log?.setFate(message.id, { status: error.delivery, reason: failureWords(error), message });
    });
    client.onSessionLost(({ unknown }) => {
      for (const { name, log } of this.#models.values()) {
        const here = unknown.filter(({ event, room }) => event === 'message' && room === name).length;
        log.addNotice(lostWords(here), here > 0 ? 'warning' : 'plain');
      }
    });
    client.onGap((gap) => this.#models.get(gap.room ?? '')?.log.addNotice(gapWords(gap), 'warning'));
  }

  get list(): readonly RoomModel[] {
    return [...this.#models.values()];
  }

  get current(): RoomModel | undefined {
    return this.#current;
  }

  /** Joins the room unless we are in it, and shows it. Throws a `TypeError` for what cannot be a room's name. */
  open(name: string): void {
    const known = this.#models.get(name);
    const model = known ?? this.#make(name);
    if (!known || model.room.getState().status === 'refused') {
      // A refusal is shown by the room's state.
      model.room.join({ timeoutMs: Infinity }).catch(() => undefined);
    }
    this.select(model);
  }

  select(model: RoomModel): void {
    model.unread = 0;
    this.#current = model;
    this.#events.changed();
  }

  leave(model: RoomModel): void {
    void model.room.leave();
    model.stop.abort();
    model.typists.clear();
    this.#models.delete(model.name);
    this.#current = this.list.at(-1);
    this.#events.changed();
  }

  say(model: RoomModel, text: string): void {
    const sending = model.room.send('message', { text });
    model.log.addOwn(sending.id, this.#self, text);
    this.#follow(model, sending);
  }

  /** At least once: with the same id, so that whoever has it already does not show it again. */
  resend(model: RoomModel, message: UndeliveredMessage): void {
    model.log.setFate(message.id, { status: 'waiting' });
    this.#follow(model, this.#client.resend(message));
  }

  tellTyping(model: RoomModel, isTyping: boolean): void {
    if (this.#client.getState().status !== 'connected' || model.room.getState().status !== 'joined') return;
    this.#flight.add(model.room.send('typing', { isTyping }, { delivery: 'volatile' }));
  }

  get #self(): string {
    const state = this.#client.getState();
    if (state.status === 'connected') this.#lastSelf = state.userId;
    return this.#lastSelf;
  }
  #lastSelf = 'you';

  #make(name: string): RoomModel {
    const room = this.#client.room(name);
    const stop = new AbortController();
    const log: ChatLog = new ChatLog((change) => this.#events.logged(model, change));
    const typists = new Typists(() => this.#events.changed());
    const model: RoomModel = { name, room, log, typists, stop, unread: 0 };
    const { signal } = stop;
    room.on(
      'message',
      ({ text }, { id, at, from = 'server' }) => {
        typists.heard(from, false);
        const isNew = log.addHeard({ id, from, text, at }, from === this.#self);
        if (isNew && model !== this.#current) model.unread += 1;
        this.#events.moved('in');
        this.#events.changed();
      },
      { signal },
    );
    room.on('typing', ({ isTyping }, { from = 'server' }) => typists.heard(from, isTyping), { signal });
    const unsubscribe = [
      room.onMembers(() => this.#events.changed()),
      room.onState((state: JoinState) => {
        if (state.status === 'refused') typists.clear();
        this.#events.changed();
      }),
    ];
    signal.addEventListener('abort', () => {
      for (const end of unsubscribe) end();
    });
    this.#models.set(name, model);
    return model;
  }

  #follow(model: RoomModel, sending: ReturnType<RoomModel['room']['send']>): void {
    this.#flight.add(sending);
    this.#events.moved('out');
    // How it ends badly is told by onUndelivered, which knows the message, too.
    sending.then(
      ({ id }) => model.log.setFate(id, { status: 'acknowledged' }),
      () => undefined,
    );
  }

  #markWritten(): void {
    for (const id of this.#flight.written(this.#client.getOutbox())) {
      for (const { log } of this.#models.values()) {
        if (log.fateOf(id)?.status === 'waiting') log.setFate(id, { status: 'on-the-wire' });
      }
    }
  }
}
