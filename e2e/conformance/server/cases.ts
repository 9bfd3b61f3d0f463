import type { Case } from '../case.js';
import { asking } from './asking.js';
import { durable } from './durable.js';
import { frames } from './frames.js';
import { handshake } from './handshake.js';
import { liveness } from './liveness.js';
import { namespaces } from './namespaces.js';
import { firstFrames, negotiation } from './negotiation.js';
import { numbers } from './numbers.js';
import { resume } from './resume.js';
import { rooms } from './rooms.js';
import { streams } from './streams.js';
import type { Server } from './subject.js';
import { tokens } from './tokens.js';

/** What is asked of a server. */
export const serverCases: readonly Case<Server>[] = [
  ...negotiation,
  ...firstFrames,
  ...frames,
  ...numbers,
  ...asking,
  ...streams,
  ...handshake,
  ...tokens,
  ...resume,
  ...durable,
  ...rooms,
  ...namespaces,
  ...liveness,
];
