/** What became here of the options of reconnecting-websocket and partysocket. */
export const RENAMED: { readonly [name: string]: string } = {
  maxReconnectionDelay: "is 'reconnect.capMs' here",
  minReconnectionDelay: "is 'reconnect.baseMs' here; the delay itself is random below it",
  reconnectionDelayGrowFactor: "is always 2 here, or write a 'reconnect.policy'",
  minUptime: "is 'reconnect.minUptimeMs' here",
  connectionTimeout: 'is no option here: an attempt has 10 s',
  maxRetries: "is 'reconnect.maxAttempts' here, which counts the first one, too",
  maxEnqueuedMessages: "is 'outbox.maxMessages' here; see 'outbox.overflow', too",
  startClosed: "is 'autoConnect: false' here",
  shouldReconnectOnClose: 'is no option here: call close() in a listener of "close"',
  WebSocket: 'is no option here: the platform has one, and in Node it is that of the package ws',
  debug: 'is no option here: listen to "open", "close" and "error"',
  debugLogger: 'is no option here: listen to "open", "close" and "error"',
};
