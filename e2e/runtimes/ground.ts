import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { app } from './places.js';

/** For a program that hangs; one that ends by itself takes less than a second. */
const DEADLINE_MS = 45_000;

/** What story.mjs says of itself. */
interface Told {
  readonly messages: number;
  readonly heard: readonly number[];
  readonly statuses: readonly string[];
}

export const environment = {
  ...process.env,
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
  // What is looked for and told of new versions is nobody's business here.
  DENO_NO_UPDATE_CHECK: '1',
  NODE_NO_WARNINGS: undefined,
};

/** The server of the story as a process of its own, by some Node. */
export class Ground {
  readonly #child: ChildProcess;
  readonly origin: string;

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child;
    this.origin = origin;
  }

  static async open(node: string, pages?: string): Promise<Ground> {
    const env = { ...environment, PAGES: pages };
    const child = spawn(node, ['server.mjs'], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    const origin = String(said).trim();
    if (origin.startsWith('http')) return new Ground(child, origin);
    throw new Error(`the server has ended with ${origin}`);
  }

  /** It ends by itself once it is closed, too. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), DEADLINE_MS);
    expect(await ended).toEqual([0, null]);
    clearTimeout(late);
  }
}

/** Runs a program of the application to its end, which it has to find by itself, without a complaint. */
export async function run(file: string, args: readonly string[], deadlineMs = DEADLINE_MS): Promise<string> {
  const child = spawn(file, args, { cwd: app, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const ended = once(child, 'close');
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await ended;
  clearTimeout(late);
  expect({ code, signal, complaints }, said).toEqual({ code: 0, signal: null, complaints: '' });
  return said;
}

/** Tells the story by a program, which prints what came of it. */
export async function tellBy(file: string, args: readonly string[], ground: Ground): Promise<void> {
  expectWellTold(JSON.parse(await run(file, [...args, ground.origin])));
}

/** Everything once and in order, both ways, in one session that was resumed after each cut. */
export function expectWellTold(result: Told): void {
  const all = Array.from({ length: result.messages }, (_, n) => n + 1);
  const { statuses, ...others } = result;
  // On a busy machine it may have been suspected, and come back, once more.
  const resumes = statuses.filter((status) => status === 'reconnecting').length;
  expect(resumes).toBeGreaterThanOrEqual(2);
  const afterCut = Array.from({ length: resumes }, () => ['reconnecting', 'connected']);
  expect(statuses).toEqual(['connecting', 'connected', ...afterCut.flat(), 'closed']);
  expect(others).toEqual({
    ...{ messages: 60, cuts: 2, heard: all, losses: [], outcomes: ['acknowledged'], sum: 3 },
    told: { notes: all, sessions: 1, resumes },
    ...{ recovered: true, sameSession: true, end: 'closed' },
  });
}
