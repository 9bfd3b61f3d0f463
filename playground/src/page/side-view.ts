import type { ConnectionState, HoldfastClient } from '@holdfast/client';
import type { Chat } from '../contract.js';
import { isRoomName, ROOM_NAME_RULE } from '../limits.js';
import { byId, el, shell } from './dom.js';
import type { RoomModel, Rooms } from './rooms.js';
import { count } from './words.js';

/** The rooms one is in, the way into another, and who is in the room that is shown. */
export class SideView {
  readonly #client: HoldfastClient<Chat>;
  readonly #rooms: Rooms;
  readonly #list = byId('rooms', HTMLUListElement);
  readonly #people = byId('people', HTMLUListElement);
  readonly #label = byId('people-label', HTMLElement);
  readonly #count = byId('people-count', HTMLElement);
  readonly #input = byId('join-name', HTMLInputElement);
  readonly #error = byId('join-error', HTMLElement);
  readonly #shown = { rooms: '', people: '' };

  constructor(client: HoldfastClient<Chat>, rooms: Rooms) {
    this.#client = client;
    this.#rooms = rooms;
    byId('join', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#join(this.#input.value.trim());
    });
    this.#input.addEventListener('focus', () => void this.#suggest());
    this.#input.addEventListener('input', () => this.#error.replaceChildren());
  }

  render(): void {
    this.#renderRooms();
    this.#renderPeople(this.#client.getState(), this.#rooms.current);
  }

  #renderRooms(): void {
    const { list, current } = this.#rooms;
    const shown = list.map(({ name, unread, room }) => [name, unread, room.getState().status]);
    if (!this.#news('rooms', [current?.name, shown])) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset['room'];
    this.#list.replaceChildren(...list.map((model) => this.#roomItem(model)));
    if (focused !== undefined)
      this.#list.querySelector<HTMLElement>(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  /** False if that is what is shown already: a button must not be replaced between press and release. */
  #news(part: 'rooms' | 'people', content: unknown): boolean {
    const text = JSON.stringify(content);
    const news = this.#shown[part] !== text;
    this.#shown[part] = text;
    return news;
  }

  #roomItem(model: RoomModel): HTMLLIElement {
    const { status } = model.room.getState();
    const note = status === 'refused' ? 'refused' : status === 'joining' ? 'joining…' : undefined;
    const button = el(
      'button',
      {
        type: 'button',
        'data-room': model.name,
        'aria-current': model === this.#rooms.current ? 'true' : undefined,
      },
      el('span', { class: 'room-name' }, model.name),
      note && el('span', { class: 'room-note' }, note),
      model.unread > 0
        ? el(
            'span',
            { class: 'unread' },
            String(model.unread),
            el('span', { class: 'visually-hidden' }, ' unread'),
          )
        : undefined,
    );
    button.addEventListener('click', () => this.#rooms.select(model));
    return el('li', {}, button);
  }

  #renderPeople(state: ConnectionState, model: RoomModel | undefined): void {
    const members = [...(model?.room.members ?? [])].sort((a, b) => a.userId.localeCompare(b.userId));
    const self = state.status === 'connected' ? state.userId : undefined;
    if (!this.#news('people', [members, state.status, self])) return;
    this.#label.textContent = self === undefined ? 'Here last' : 'Here now';
    this.#count.textContent = members.length > 0 ? `· ${members.length}` : '';
    if (members.length === 0) {
      const why = state.status === 'connected' ? 'Nobody yet.' : 'Known once connected.';
      this.#people.replaceChildren(el('li', { class: 'none' }, why));
      return;
    }
    this.#people.replaceChildren(
      ...members.map(({ userId, sessions }) =>
        el(
          'li',
          { 'data-user': userId },
          shell(userId),
          el('span', { class: 'person' }, userId, userId === self ? ' (you)' : ''),
          el('span', { class: 'sessions' }, count(sessions, 'session')),
        ),
      ),
    );
  }

  #join(name: string): void {
    if (!isRoomName(name)) {
      this.#error.textContent = `${ROOM_NAME_RULE[0]?.toUpperCase()}${ROOM_NAME_RULE.slice(1)}.`;
      return;
    }
    this.#input.value = '';
    this.#rooms.open(name);
  }

  /** The rooms that somebody is in, asked for when one is about to choose. */
  async #suggest(): Promise<void> {
    if (this.#client.getState().status !== 'connected') return;
    try {
      const open = await this.#client.request('rooms', {}, { timeoutMs: 5000 });
      const options = open.map(({ name, sessions }) =>
        el('option', { value: name }, count(sessions, 'session')),
      );
      byId('open-rooms', HTMLDataListElement).replaceChildren(...options);
    } catch {
      // Suggestions are a comfort; one can always type.
    }
  }
}
