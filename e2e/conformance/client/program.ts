import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { check, DEADLINE_MS, show, until } from '../case.js';

/** What the client under test says on its standard output, one line each: docs/conformance.md. */
export interface Was {
  readonly was: string;
  readonly id?: number;
  /** Of the order that it belongs to. */
  readonly of?: number;
  readonly as?: string;
  readonly name?: string;
  readonly room?: string;
  readonly data?: unknown;
  readonly why?: string;
  readonly code?: string;
  readonly can?: readonly string[];
  readonly unknown?: readonly unknown[];
  /** The id of a message. */
  readonly i?: string;
}

/** How long a program takes to start and to end says nothing of it, also to who is impatient. */
export const START_MS = 4 * DEADLINE_MS;

/** Whether something of a process or its group is there. */
function isThere(pid = 0): boolean {
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, 0);
  } catch {
    return false;
  }
}

/** A client under test, as a process that takes orders and says what was. */
export class Program {
  readonly #begin: () => ChildProcess;
  #child: ChildProcess;
  #lines: Was[] = [];
  #noise = '';
  #orders = 0;

  /** `more`: of its environment. */
  constructor(command: string, url: string, more: { readonly [name: string]: string } = {}) {
    const env = { ...process.env, HOLDFAST_URL: url, HOLDFAST_TOKEN: 'ada', ...more };
    // A group of its own, so that the shell does not outlive what it has started, or the reverse.
    const detached = process.platform !== 'win32';
    this.#begin = () => {
      const child = spawn(command, { shell: true, env, stdio: 'pipe', detached });
      child.stdin.on('error', () => undefined);
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#noise += text;
      });
      const lines: Was[] = [];
      this.#lines = lines;
      createInterface({ input: child.stdout }).on('line', (line) => this.#heard(line, lines));
      return child;
    };
    this.#child = this.#begin();
  }

  /** What the one that runs has said. */
  get lines(): readonly Was[] {
    return this.#lines;
  }

  /** Kills it and starts another one. */
  async restart(): Promise<void> {
    const { pid } = this.#child;
    this.#kill();
    // Not only the shell, and not only dead: what it has left is locked as long as the system knows its process.
    await until(
      () => !isThere(pid),
      'an end of what was killed',
      () => this.told,
      START_MS,
    );
    this.#child = this.#begin();
  }

  #kill(): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined && process.platform !== 'win32') process.kill(-pid, 'SIGKILL');
      else this.#child.kill();
    } catch {
      // It has gone already.
    }
  }

  #heard(line: string, lines: Was[]): void {
    try {
      lines.push(JSON.parse(line) as Was);
    } catch {
      this.#noise += `${line}\n`;
    }
  }

  /** All that it has said, and what it was not asked to say. */
  get told(): string {
    return `lines ${show(this.lines)}${this.#noise === '' ? '' : ` and ${show(this.#noise)}`}`;
  }

  /** Data of the lines of one kind. */
  values(was: string): readonly unknown[] {
    return this.lines.filter((line) => line.was === was).map(({ data }) => data);
  }

  /** Gives an order; returns its id. */
  does(order: object): number {
    const id = ++this.#orders;
    this.#child.stdin?.write(`${JSON.stringify({ id, ...order })}\n`);
    return id;
  }

  was(fits: (line: Was) => boolean, what: string, deadlineMs?: number): Promise<Was> {
    return until(
      () => this.lines.find(fits),
      what,
      () => this.told,
      deadlineMs,
    );
  }

  /** What became of an order. */
  async settled(id: number, as: string): Promise<Was> {
    const line = await this.was((line) => line.was === 'settled' && line.id === id, `order ${id} settled`);
    check(line.as === as, `order ${id} settled as "${as}"`, line);
    return line;
  }

  /** It ends with its input; what does not within a second is ended. */
  end(): void {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#kill(), 1_000);
    this.#child.once('exit', () => clearTimeout(timer));
  }
}
