/**
 * The client on ports of your own: clock, randomness, sockets and page signals come from you. For test kits and for
 * platforms that `@holdfast/client` does not know. Until 1.0 these ports may change in a minor version.
 */
export type { Clock, Random, Transport, TransportEnd, TransportEvents, WireData } from '@holdfast/protocol';
export { createClientOn } from './client.js';
export { type BackoffSettings, delayBefore, type Wait } from './core/backoff.js';
export { createLiteClientOn } from './lite/client.js';
export type { ClientPorts } from './ports/ports.js';
export type { Signal, Signals } from './ports/signals.js';
export type { Dialer } from './ports/transport.js';
