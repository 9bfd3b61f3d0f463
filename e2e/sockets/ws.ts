import { createRequire } from 'node:module';

// The very `ws` of our server: hostile peers need no copy of their own beside it.
const { resolve } = createRequire(import.meta.url);
const ws = createRequire(resolve('@holdfast/server'))('ws') as typeof import('ws');

export const { WebSocket, WebSocketServer } = ws;
