import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { check, show, until } from '../case.js';

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
}

/** A client under test, as a process that takes orders and says what was. */
export class Program {
  readonly #child: ChildProcess;
  readonly lines: Was[] = [];
  #noise = '';
  #orders = 0;

  constructor(command: string, url: string) {
    const env = { ...process.env, HOLDFAST_URL: url, HOLDFAST_TOKEN: 'ada' };
    // A group of its own, so that the shell does not outlive what it has started, or the reverse.
    this.#child = spawn(command, { shell: true, env, stdio: 'pipe', detached: process.platform !== 'win32' });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined);
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#noise += text;
    });
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#heard(line));
  }

  #heard(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as Was);
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
    const { stdin, pid } = this.#child;
    stdin?.end();
    const timer = setTimeout(() => {
      try {
        if (pid !== undefined && process.platform !== 'win32') process.kill(-pid, 'SIGKILL');
        else this.#child.kill();
      } catch {
        // It has gone already.
      }
    }, 1_000);
    this.#child.once('exit', () => clearTimeout(timer));
  }
}
