import { WebSocket as PartySocket } from 'partysocket';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { WebSocket } from 'ws';
import { type ClientEnd, HOST, type Payload, RECONNECT, type System } from '../system.js';
import { asking } from './by-hand.js';
import { messagesIn, oneByOne, serveWith } from './raw-ws.js';

// Clients that come back, before the plain server: what is said and how is that of `ws`.

const options = {
  WebSocket,
  minReconnectionDelay: RECONNECT.minMs,
  maxReconnectionDelay: RECONNECT.maxMs,
  connectionTimeout: RECONNECT.dialMs,
  minUptime: 0,
};

async function converse(
  socket: PartySocket | ReconnectingWebSocket,
  hear: (payload: Payload) => void,
  subscribed: boolean,
): Promise<ClientEnd> {
  const end = asking(oneByOne(socket), hear);
  socket.onmessage = ({ data }: { data: unknown }) => {
    for (const message of messagesIn(data)) end.take(message);
  };
  await new Promise<void>((resolve) => {
    // Whenever it has come back: the server knows nothing of the connection before.
    socket.onopen = () => (subscribed ? void end.subscribe().then(() => resolve()) : resolve());
  });
  return end;
}

const url = (port: number) => `ws://${HOST}:${port}`;
const about = 'JSON with an id by hand, before a plain `ws` server';

export const partySocket: System = {
  key: 'partysocket',
  packages: ['partysocket', 'ws'],
  how: `its \`WebSocket\`; ${about}`,
  page: () => "export { WebSocket } from 'partysocket'",
  serve: serveWith(oneByOne),
  dial: (port, hear, subscribed) => converse(new PartySocket(url(port), [], options), hear, subscribed),
};

export const reconnectingWebSocket: System = {
  key: 'reconnecting-websocket',
  packages: ['reconnecting-websocket', 'ws'],
  how: about,
  page: () => "export { default } from 'reconnecting-websocket'",
  serve: serveWith(oneByOne),
  dial: (port, hear, subscribed) =>
    converse(new ReconnectingWebSocket(url(port), [], options), hear, subscribed),
};
