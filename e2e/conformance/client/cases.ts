import type { Case } from '../case.js';
import { asked } from './asked.js';
import { durable } from './durable.js';
import { greeting } from './greeting.js';
import { inRooms } from './in-rooms.js';
import { liveness } from './liveness.js';
import { messages } from './messages.js';
import { moving } from './moving.js';
import type { ClientProgram } from './play.js';
import { streams } from './streams.js';

/** What is asked of a client. */
export const clientCases: readonly Case<ClientProgram>[] = [
  ...greeting,
  ...messages,
  ...asked,
  ...streams,
  ...durable,
  ...inRooms,
  ...liveness,
  ...moving,
];
