import { createClient } from '@holdfast/client';
import type { Chat } from '../contract.js';
import { ConnectionPanel } from './connection-panel.js';
import { ConversationView } from './conversation-view.js';
import { byId } from './dom.js';
import { firstRoom, knownName, rememberName, rememberRoom } from './identity.js';
import { Logbook } from './logbook.js';
import { NameDialog } from './name-dialog.js';
import { Rooms } from './rooms.js';
import { SideView } from './side-view.js';
import { sentence, wordsOf } from './words.js';

const client = createClient<Chat>({
  url: '/realtime',
  // Somebody is watching: come back sooner, and measure more often, than a product would.
  reconnect: { capMs: 5000 },
  heartbeat: { intervalMs: 2000 },
});

let name = knownName();
const dialog = new NameDialog();

const panel = new ConnectionPanel(client, () => askForName());
const logbook = new Logbook(client);
const rooms = new Rooms(client, {
  changed: () => render(),
  logged: (model, change) => conversation.logged(model, change),
  moved: (direction) => panel.pulse(direction),
});
const side = new SideView(client, rooms);
const conversation = new ConversationView(client, rooms);

let due = false;
/** Once for all that changes in one task. */
function render(): void {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    side.render();
    conversation.render();
    if (rooms.current) rememberRoom(rooms.current.name);
    const unread = rooms.list.reduce((sum, room) => sum + room.unread, 0);
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${rooms.current?.name ?? 'Holdfast'} · Holdfast playground`;
  });
}

function askForName(): void {
  const state = client.getState();
  const refusal = state.status === 'needs-auth' ? sentence(wordsOf(state.error)) : undefined;
  dialog.ask(name, refusal, enterAs);
}

function enterAs(chosen: string): void {
  name = chosen;
  rememberName(chosen);
  byId('own-name', HTMLElement).textContent = chosen;
  // Whether the server takes the name is seen in the state.
  client.connect({ auth: chosen }).catch(() => undefined);
  // On a phone the keyboard would cover half of what there is to see.
  if (matchMedia('(pointer: fine)').matches) conversation.focus();
}

client.onState(({ status }) => {
  if (status === 'needs-auth') askForName();
});
client.on('served-by', ({ node }) => {
  panel.servedBy(node);
  logbook.servedBy(node);
  byId('hint-one', HTMLElement).hidden = true;
  byId('hint-several', HTMLElement).hidden = false;
});
byId('rename', HTMLButtonElement).addEventListener('click', askForName);

try {
  rooms.open(firstRoom());
} catch {
  // `?room=` holds what cannot be a room's name at all.
  rooms.open('lobby');
}
if (name === undefined) askForName();
else enterAs(name);
