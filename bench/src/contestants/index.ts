import type { Contestant } from './contestant.js';
import { holdfast } from './holdfast.js';
import { socketIo } from './socket-io.js';
import { webSockets } from './web-socket.js';

export const contestants: readonly Contestant[] = [holdfast, ...socketIo, ...webSockets];

export function contestantOf(key: string): Contestant {
  const found = contestants.find((one) => one.key === key);
  if (found) return found;
  throw new TypeError(`no contestant '${key}'; there are: ${contestants.map((one) => one.key).join(', ')}`);
}
