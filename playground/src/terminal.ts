import { createInterface, type Interface } from 'node:readline';

/**
 * What others say, made harmless: no escape sequence, no new line, nothing that turns the direction of the text may
 * reach the terminal.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n|[\n\r\t\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}

export interface TerminalEvents {
  line(text: string): void;
  /** The input has ended, or Ctrl-C was pressed. */
  end(): void;
}

/** Lines in, lines out: with a prompt that stays below what is printed, or without one in a pipe. */
export class Terminal {
  readonly #input: Interface;
  readonly #isTty = process.stdin.isTTY === true && process.stdout.isTTY === true;
  readonly #colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  #state: 'open' | 'closed' = 'open';

  constructor(events: TerminalEvents) {
    this.#input = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: this.#isTty,
      prompt: '> ',
    });
    this.#input.on('line', (text) => {
      events.line(text);
      this.#prompt();
    });
    this.#input.on('close', () => {
      this.#state = 'closed';
      // The shell's prompt gets a line of its own.
      if (this.#isTty) process.stdout.write('\n');
      events.end();
    });
    // Somebody who pipes us into `head` has seen enough.
    process.stdout.on('error', () => events.end());
  }

  print(text: string, look: 'plain' | 'soft' | 'warning' = 'plain'): void {
    const colour = { plain: '', soft: '\x1b[2m', warning: '\x1b[33m' }[look];
    const line = this.#colours && colour ? `${colour}${text}\x1b[0m` : text;
    if (this.#isTty) process.stdout.write('\r\x1b[K');
    process.stdout.write(`${line}\n`);
    this.#prompt();
  }

  close(): void {
    this.#input.close();
  }

  #prompt(): void {
    if (this.#isTty && this.#state === 'open') this.#input.prompt(true);
  }
}
