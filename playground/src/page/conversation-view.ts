import type { HoldfastClient } from '@holdfast/client';
import type { Chat } from '../contract.js';
import type { Entry, LogChange } from './chat-log.js';
import { byId } from './dom.js';
import { entryView, type Resend } from './message-view.js';
import type { RoomModel, Rooms } from './rooms.js';
import { TypingTeller, typingWords } from './typing.js';
import { refusedWords } from './words.js';

/** How far from the end still counts as reading along. */
const NEAR_END_PX = 80;

/** The room that is shown: what was said, and the place to say something. */
export class ConversationView {
  readonly #client: HoldfastClient<Chat>;
  readonly #rooms: Rooms;
  readonly #title = byId('room-title', HTMLElement);
  readonly #state = byId('room-state', HTMLElement);
  readonly #leave = byId('leave', HTMLButtonElement);
  readonly #scroller = byId('scroller', HTMLElement);
  readonly #empty = byId('empty', HTMLElement);
  readonly #list = byId('messages', HTMLOListElement);
  readonly #typing = byId('typing', HTMLElement);
  readonly #form = byId('composer', HTMLFormElement);
  readonly #text = byId('composer-text', HTMLTextAreaElement);
  readonly #hint = byId('composer-hint', HTMLElement);
  readonly #items = new Map<string, { node: HTMLLIElement; entry: Entry; before: Entry | undefined }>();
  readonly #teller: TypingTeller;
  #shown: RoomModel | undefined;
  #latest: Entry | undefined;
  /** Whether the reader is at the end, and wants to stay there. */
  #along = true;

  constructor(client: HoldfastClient<Chat>, rooms: Rooms) {
    this.#client = client;
    this.#rooms = rooms;
    this.#teller = new TypingTeller((isTyping) => {
      if (this.#shown) rooms.tellTyping(this.#shown, isTyping);
    });
    // Not every browser lets the keyboard into what scrolls by itself.
    this.#scroller.tabIndex = 0;
    this.#leave.addEventListener('click', () => {
      if (this.#shown) rooms.leave(this.#shown);
      byId('join-name', HTMLInputElement).focus();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('input', () =>
      this.#text.value.trim() ? this.#teller.typed() : this.#teller.stop(),
    );
    this.#text.addEventListener('blur', () => this.#teller.stop());
    this.#scroller.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      this.#along = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    });
    new ResizeObserver(() => this.#followEnd()).observe(this.#scroller);
  }

  /** All but the messages, which come by `logged`. */
  render(): void {
    const model = this.#rooms.current;
    if (model !== this.#shown) this.#showRoom(model);
    const joinState = model?.room.getState();
    this.#title.textContent = model?.name ?? 'No room';
    this.#state.textContent =
      joinState?.status === 'refused'
        ? `Refused: ${refusedWords(joinState.error)}`
        : joinState?.status === 'joining'
          ? 'joining…'
          : '';
    this.#leave.hidden = model === undefined;
    this.#text.disabled = model === undefined || joinState?.status === 'refused';
    const typing = typingWords(model?.typists.names ?? []);
    if (this.#typing.textContent !== typing) this.#typing.textContent = typing;
    const { status } = this.#client.getState();
    this.#hint.textContent =
      model === undefined
        ? 'Join a room to talk.'
        : status === 'connected'
          ? ''
          : 'No connection: what you send now waits in the outbox, and goes out by itself.';
    // The hint takes its place from the list.
    this.#followEnd();
  }

  logged(model: RoomModel, change: LogChange): void {
    if (model !== this.#shown) return;
    if (change.type === 'removed') {
      this.#items.get(change.key)?.node.remove();
      this.#items.delete(change.key);
    } else if (change.type === 'changed') {
      this.#replace(change.entry);
    } else {
      if (change.entry.kind === 'message' && change.entry.fate) this.#along = true;
      this.#append(change.entry);
      this.#followEnd();
    }
  }

  focus(): void {
    this.#text.focus({ preventScroll: true });
  }

  #showRoom(model: RoomModel | undefined): void {
    this.#teller.sent();
    this.#shown = model;
    this.#latest = undefined;
    this.#items.clear();
    // What was said long ago is not read out when one comes back to a room.
    this.#list.setAttribute('aria-live', 'off');
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    for (const entry of model?.log.entries ?? []) this.#append(entry);
    this.#along = true;
    this.#followEnd();
    setTimeout(() => this.#list.setAttribute('aria-live', 'polite'));
  }

  #append(entry: Entry): void {
    const before = this.#latest;
    const node = entryView(entry, before, this.#resend);
    this.#items.set(entry.key, { node, entry, before });
    this.#latest = entry;
    this.#empty.hidden = true;
    this.#list.append(node);
  }

  #replace(entry: Entry): void {
    const old = this.#items.get(entry.key);
    if (!old) return;
    const node = entryView(entry, old.before, this.#resend);
    const hadFocus = old.node.contains(document.activeElement);
    old.node.replaceWith(node);
    this.#items.set(entry.key, { ...old, node, entry });
    if (this.#latest?.key === entry.key) this.#latest = entry;
    this.#followEnd();
    if (hadFocus) (node.querySelector('button') ?? this.#text).focus();
  }

  readonly #resend: Resend = (message) => {
    if (this.#shown) this.#rooms.resend(this.#shown, message);
  };

  #submit(): void {
    const text = this.#text.value.trim();
    if (text === '' || !this.#shown || this.#text.disabled) return;
    this.#rooms.say(this.#shown, text);
    this.#text.value = '';
    this.#teller.sent();
    this.#text.focus();
  }

  #followEnd(): void {
    if (this.#along) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
