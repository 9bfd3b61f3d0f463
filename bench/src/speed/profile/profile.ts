import { Contest } from '../contest.js';
import type { System } from '../system.js';
import type { Workload } from '../workloads.js';
import { profileTables } from './profile-tables.js';

const WARM_UP_MS = 2_000;
const PROFILED_MS = 4_000;

/** Where server and client of one system spend their time with one workload. */
export async function profile(
  system: System,
  { question }: Workload,
  tell: (line: string) => void,
): Promise<string> {
  const contest = await Contest.start(system);
  try {
    tell('warm-up');
    await contest.client(question(WARM_UP_MS));
    tell('profile');
    await contest.server({ ask: 'profile' });
    await contest.client({ ask: 'profile' });
    const { messages, seconds } = await contest.client(question(PROFILED_MS));
    const client = await contest.client({ ask: 'profiled' });
    const server = await contest.server({ ask: 'profiled' });
    const perSecond = Math.round(messages / seconds).toLocaleString('en');
    return [
      profileTables('server', server.selfTimes),
      profileTables('client', client.selfTimes),
      `${perSecond} messages a second, while it was looked at.`,
    ].join('\n\n');
  } finally {
    await contest.end();
  }
}
