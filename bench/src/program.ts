import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program that says nothing for so long hangs. */
const ANSWER_MS = 30_000;

/** A program in a process of its own, which answers what it is asked. It ends with us, whatever becomes of us. */
export class Program {
  readonly #process: ChildProcess;
  readonly #gone = new AbortController();
  /** Aborted when its process has ended: nothing that it is needed for will be. */
  readonly gone = this.#gone.signal;

  private constructor(file: URL, args: readonly string[], flags: readonly string[]) {
    this.#process = fork(fileURLToPath(file), [...args], { execArgv: [...flags] });
    this.#process.once('exit', (code) => this.#gone.abort(new Error(`a side has ended, with ${code}`)));
  }

  /** Resolves with its first word: it is ready. `flags` are those of Node. */
  static async start(
    file: URL,
    args: readonly string[],
    flags: readonly string[] = [],
  ): Promise<{ readonly program: Program; readonly ready: unknown }> {
    const program = new Program(file, args, flags);
    try {
      return { program, ready: await program.#hear() };
    } catch (error) {
      await program.end();
      throw error;
    }
  }

  /** One question at a time. */
  async ask(question: object): Promise<unknown> {
    this.gone.throwIfAborted();
    const answer = this.#hear();
    this.#process.send(question);
    return answer;
  }

  /** It stands still: reads nothing, says nothing, and keeps its sockets. */
  stall(): void {
    this.#process.kill('SIGSTOP');
  }

  /** It goes on. */
  resume(): void {
    this.#process.kill('SIGCONT');
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
