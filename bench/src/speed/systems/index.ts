import type { System } from '../system.js';
import { holdfast, holdfastMsgpack } from './holdfast.js';
import { rawWs, rawWsBatched } from './raw-ws.js';
import { socketIo } from './socket-io.js';

/** The first is what the others are compared with. */
export const SYSTEMS: readonly System[] = [rawWs, rawWsBatched, socketIo, holdfast, holdfastMsgpack];

export function systemOf(key: string): System {
  const system = SYSTEMS.find((one) => one.key === key);
  if (!system)
    throw new TypeError(`no system '${key}'; there are ${SYSTEMS.map((one) => one.key).join(', ')}`);
  return system;
}
