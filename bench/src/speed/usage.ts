import type { ProcessQuestion, Usage } from './questions.js';

/** What this process has used. */
export function usage({ collected }: ProcessQuestion): Usage {
  const { gc } = globalThis as { gc?: () => void };
  if (collected) gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  return { cpuMicros: user + system, memoryBytes: heapUsed + external };
}
