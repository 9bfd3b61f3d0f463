import { play } from './play.js';
import type { ClientKind } from './sim-client.js';

/** What happened in a seed just before the first violation, to be read by a person. */
export async function story(seed: number, client: ClientKind, lines = 40): Promise<string> {
  const { trace } = await play(seed, { tracing: true, client });
  const end = trace.findIndex((line) => line.includes('✗')) + 1;
  const [first = ''] = trace;
  const shown = trace.slice(Math.max(1, end - lines), end);
  return [first, '   …', ...shown]
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line))
    .join('\n');
}
