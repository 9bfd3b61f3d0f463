import { Profiler } from './profile/profiler.js';
import type { ProcessQuestion, Profiled, Usage } from './questions.js';

const profiler = new Profiler();

/** What this process has used, and what it spends its time with. */
export async function aboutProcess(question: ProcessQuestion): Promise<Usage | Profiled> {
  switch (question.ask) {
    case 'usage':
      return usage(question.collected);
    case 'profile':
      await profiler.start();
      return { selfTimes: [] };
    case 'profiled':
      return { selfTimes: await profiler.stop() };
  }
}

function usage(collected: boolean): Usage {
  const { gc } = globalThis as { gc?: () => void };
  if (collected) gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  return { cpuMicros: user + system, memoryBytes: heapUsed + external };
}
