import type { Case } from '../case.js';
import { asked } from './asked.js';
import { greeting } from './greeting.js';
import { inRooms } from './in-rooms.js';
import { liveness } from './liveness.js';
import { messages } from './messages.js';
import { moving } from './moving.js';
import type { ClientProgram } from './play.js';

/** What is asked of a client. */
export const clientCases: readonly Case<ClientProgram>[] = [
  ...greeting,
  ...messages,
  ...asked,
  ...inRooms,
  ...liveness,
  ...moving,
];
