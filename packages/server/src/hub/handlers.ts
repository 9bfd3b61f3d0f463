import type { ServerContext } from '../types.js';

/** As the application gives them: their own types are checked where they are known. */
export type Handler = (input: unknown, context: ServerContext) => unknown;
export type StreamHandler = (input: unknown, context: ServerContext) => AsyncIterable<unknown>;
