import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AnswerTo, Question, Ready } from './questions.js';

const program = fileURLToPath(new URL('./side.js', import.meta.url));
/** A side that says nothing for so long hangs. */
const ANSWER_MS = 30_000;

/** A side in a process of its own. It ends with us, whatever becomes of us. */
export class Child {
  readonly #process: ChildProcess;
  readonly #gone = new AbortController();
  /** Aborted when its process has ended: nothing that it is needed for will be. */
  readonly gone = this.#gone.signal;

  private constructor(args: readonly string[]) {
    this.#process = fork(program, [...args]);
    this.#process.once('exit', (code) => this.#gone.abort(new Error(`a side has ended, with ${code}`)));
  }

  /** Resolves when a server listens, or a client is connected. */
  static async start(role: 'server' | 'client', key: string, port = 0): Promise<{ child: Child } & Ready> {
    const child = new Child([role, key, String(port)]);
    try {
      return { child, ...((await child.#hear()) as Ready) };
    } catch (error) {
      await child.end();
      throw error;
    }
  }

  /** One question at a time. */
  async ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>> {
    this.gone.throwIfAborted();
    const answer = this.#hear();
    this.#process.send(question);
    return (await answer) as AnswerTo<Q>;
  }

  async end(): Promise<void> {
    if (this.gone.aborted) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  async #hear(): Promise<unknown> {
    const signal = AbortSignal.any([this.gone, AbortSignal.timeout(ANSWER_MS)]);
    try {
      const [answer] = (await once(this.#process, 'message', { signal })) as unknown[];
      return answer;
    } catch (error) {
      // An AbortError says only that something was aborted; the reason says what has happened.
      throw signal.aborted ? signal.reason : error;
    }
  }
}
