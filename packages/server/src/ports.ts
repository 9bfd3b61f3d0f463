/**
 * The server on ports of your own: clock and randomness come from you, and so do connections. For test kits and for
 * transports that `@holdfast/server` does not know. Until 1.0 these ports may change in a minor version.
 */
export type { Clock, Random, Transport, TransportEnd, TransportEvents, WireData } from '@holdfast/protocol';
export { type Negotiated, negotiate } from './gateway/negotiate.js';
export { SharedSocket, type SharedSurroundings } from './gateway/shared-socket.js';
export { Admission, type Admittance } from './limits/admission.js';
export { systemDigest } from './platform/system.js';
export type * from './ports/bus.js';
export type * from './ports/cluster.js';
export type { Acceptor, ServerPorts } from './ports/ports.js';
export type * from './ports/store.js';
export { createServerOn, type ServerOnPorts } from './server.js';
export { MemoryStore } from './store/memory-store.js';
