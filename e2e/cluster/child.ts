import { type ChildProcess, spawn } from 'node:child_process';

/** Generous: it only passes when something hangs. */
const READY_MS = 40_000;

/** How a process has ended: its exit code, or the signal. */
export type Ending = number | NodeJS.Signals;

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it is ready. */
  readonly ready: RegExp;
}

/** A process of the cluster, which is ended by its id and no other way. */
export class Child {
  readonly #process: ChildProcess;
  readonly ended: Promise<Ending>;
  #output = '';

  private constructor(file: string, { args = [], env = {} }: ChildOptions) {
    this.#process = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve(-1));
      this.#process.once('close', (code, signal) => resolve(signal ?? code ?? -1));
    });
  }

  /** Resolves when it is ready; rejects with what it has said if it ends before, or says nothing of the kind in time. */
  static async start(file: string, options: ChildOptions): Promise<Child> {
    const child = new Child(file, options);
    if (await child.#says(options.ready)) return child;
    await child.stop('SIGKILL');
    throw new Error(`${file} ${options.args?.join(' ') ?? ''} does not start:\n${child.output}`);
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    // Not by the number alone: once it has ended, that may be somebody else's.
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill(signal);
  }

  stop(signal: NodeJS.Signals): Promise<Ending> {
    this.signal(signal);
    return this.ended;
  }

  async #says(what: RegExp): Promise<boolean> {
    let stage: 'waiting' | 'over' = 'waiting';
    void this.ended.then(() => {
      stage = 'over';
    });
    for (const end = Date.now() + READY_MS; Date.now() < end && stage === 'waiting'; ) {
      if (what.test(this.#output)) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }
}
