import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

const PROGRAMS = {
  serve: 'playground/dist/serve.js',
  bot: 'playground/dist/bot.js',
  holdfast: 'packages/cli/dist/holdfast.js',
  restarted: 'e2e/sockets/programs/restarted.mjs',
  shared: 'e2e/sockets/programs/shared.mjs',
};
export const pathOf = (name: keyof typeof PROGRAMS): string =>
  fileURLToPath(new URL(`../../${PROGRAMS[name]}`, import.meta.url));

/** Long enough for a loaded machine; nobody waits longer than what is waited for takes. */
export const DEADLINE_MS = 20_000;

/** A child process whose output can be waited for. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #output = '';

  constructor(
    name: keyof typeof PROGRAMS,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const inherited = Object.entries(process.env).filter(
      ([key]) => !/^(PORT|HOST|VITEST.*|NODE_ENV)$/.test(key),
    );
    this.#child = spawn(process.execPath, [pathOf(name), ...args], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: 'pipe',
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    // Written to after it has gone: the test looks at its exit code anyway.
    this.#child.stdin?.on('error', () => undefined);
    this.#exit = once(this.#child, 'close').then(([code]: (number | null)[]) => code ?? null);
  }

  get output(): string {
    return this.#output;
  }

  /** The exit code; null if a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#exit;
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has printed this. */
  async says(what: string | RegExp): Promise<void> {
    const isThere = () => (typeof what === 'string' ? this.#output.includes(what) : what.test(this.#output));
    const look = () => {
      if (!isThere()) throw new Error(`it has not said ${what}, but:\n${this.#output}`);
    };
    await vi.waitFor(look, { timeout: DEADLINE_MS, interval: 30 });
  }

  /** How many of the printed lines are this one. */
  count(line: string): number {
    return this.#output.split('\n').filter((printed) => printed === line).length;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // A stopped process takes no other signal.
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The playground's server as a process of its own. */
export class Playground {
  #program: Program;
  readonly port: number;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.port = port;
  }

  static async start(): Promise<Playground> {
    const program = new Program('serve', [], { PORT: '0' });
    try {
      await program.says(/http:\/\/localhost:\d+/);
    } catch (error) {
      await program.kill();
      throw error;
    }
    const [, port] = /http:\/\/localhost:(\d+)/.exec(program.output) ?? [];
    return new Playground(program, Number(port));
  }

  get program(): Program {
    return this.#program;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get realtimeUrl(): string {
    return `ws://localhost:${this.port}/realtime`;
  }

  async health(): Promise<{ status: string; connections: number }> {
    const response = await fetch(`${this.url}/health`);
    return (await response.json()) as { status: string; connections: number };
  }

  /** Takes and answers nothing any more, while its connections stand. */
  freeze(): void {
    this.#program.signal('SIGSTOP');
  }

  /** Without a chance to say anything to anybody. */
  kill(): Promise<void> {
    return this.#program.kill();
  }

  /** Again, on the same port. */
  async startAgain(): Promise<void> {
    this.#program = new Program('serve', [], { PORT: String(this.port) });
    await this.#program.says(this.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
