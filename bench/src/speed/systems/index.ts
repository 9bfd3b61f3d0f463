import type { System } from '../system.js';
import { graphqlWs } from './graphql-ws.js';
import { holdfast, holdfastLite, holdfastMsgpack } from './holdfast.js';
import { mqtt } from './mqtt.js';
import { primus } from './primus.js';
import { rawWs, rawWsAsText, rawWsBatched } from './raw-ws.js';
import { partySocket, reconnectingWebSocket } from './reconnecting.js';
import { socketIo, socketIoMsgpack, socketIoRecovery, socketIoRetries } from './socket-io.js';

/** What the others are compared with. */
export const BASE = rawWs;

/** What the others are there for. */
export const OURS: readonly System[] = [holdfast, holdfastLite, holdfastMsgpack];

/** Measured unless others are asked for. */
export const USUAL: readonly System[] = [
  rawWs,
  rawWsBatched,
  rawWsAsText,
  socketIo,
  graphqlWs,
  mqtt,
  holdfast,
  holdfastMsgpack,
];

/** Measured with `--quick`. */
export const FEW: readonly System[] = [rawWs, rawWsBatched, socketIo, holdfast];

export const SYSTEMS: readonly System[] = [
  rawWs,
  rawWsBatched,
  rawWsAsText,
  partySocket,
  reconnectingWebSocket,
  primus,
  socketIo,
  socketIoMsgpack,
  socketIoRecovery,
  socketIoRetries,
  graphqlWs,
  mqtt,
  holdfast,
  holdfastLite,
  holdfastMsgpack,
];

export function systemOf(key: string): System {
  const system = SYSTEMS.find((one) => one.key === key);
  if (!system)
    throw new TypeError(`no system '${key}'; there are ${SYSTEMS.map((one) => one.key).join(', ')}`);
  return system;
}
