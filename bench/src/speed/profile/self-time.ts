import type { Profiler } from 'node:inspector';

/** How long a function itself was at work, without what it called. */
export interface SelfTime {
  readonly name: string;
  /** Empty: nothing of JavaScript. */
  readonly url: string;
  /** From 1. */
  readonly line: number;
  readonly micros: number;
}

/** By function, most first; without the time in which there was nothing to do. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const found = new Map<string, SelfTime>();
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') return;
    const { functionName, url, lineNumber, columnNumber } = frame;
    const key = `${functionName} ${url}:${lineNumber}:${columnNumber}`;
    const { micros = 0 } = found.get(key) ?? {};
    found.set(key, {
      name: functionName || '(anonymous)',
      url,
      line: lineNumber + 1,
      micros: micros + (timeDeltas[index] ?? 0),
    });
  });
  return [...found.values()].sort((a, b) => b.micros - a.micros);
}
