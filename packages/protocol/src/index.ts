/**
 * What both ends of Holdfast share: frames, the link, codecs, contracts, errors. Pure: no I/O, no timers, no
 * globals of a platform. Applications import from `@holdfast/client` and `@holdfast/server`, which re-export what
 * they need.
 */
export * from './alarm.js';
export { MAX_DEPTH, MAX_ELEMENTS, MAX_FRAME_ELEMENTS, MAX_KEY_BYTES } from './bounds.js';
export * from './by-number.js';
export * from './close-codes.js';
export * from './codec.js';
export * from './contract.js';
export * from './contract-version.js';
export * from './deferred.js';
export * from './delivery.js';
export * from './end-of-task.js';
export * from './errors.js';
export * from './fifo.js';
export * from './frame.js';
export * from './handlers.js';
export * from './json.js';
export * from './link.js';
export * from './listeners.js';
export * from './message-of.js';
export * from './messages.js';
export * from './names.js';
export * from './options.js';
export * from './parse-frame.js';
export * from './payload-codec.js';
export * from './payloads.js';
export * from './ports.js';
export * from './random-ids.js';
export * from './refusal.js';
export * from './schema.js';
export * from './scopes.js';
export * from './shared-socket.js';
export * from './traceparent.js';
