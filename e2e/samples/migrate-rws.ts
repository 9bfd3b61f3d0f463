import { ReconnectingWebSocket } from '@holdfast/client/plain'; // was: import ReconnectingWebSocket from 'reconnecting-websocket'

const rws = new ReconnectingWebSocket('wss://example.com', ['chat'], {
  reconnect: { maxAttempts: 10, capMs: 10_000, minUptimeMs: 5_000 }, // maxRetries, maxReconnectionDelay, minUptime
  outbox: { maxMessages: 100 },
  heartbeat: { message: 'ping', intervalMs: 20_000 },
});
rws.addEventListener('open', () => rws.send('hello'));
rws.onmessage = (e: MessageEvent) => console.log(e.data);
rws.addEventListener('close', (e) => console.log(e.code));
rws.reconnect();
const asWebSocket: WebSocket = rws;
const polyfill: new (url: string, protocols?: string | string[]) => WebSocket = ReconnectingWebSocket; // graphql-ws, yjs

export { asWebSocket, polyfill };
