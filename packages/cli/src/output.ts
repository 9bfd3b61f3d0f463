/** Where the words of a command go; for tests, anything that takes texts. */
export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/**
 * What others say, made harmless: no escape sequence, no new line, nothing that turns the direction of the text may reach
 * the terminal.
 */
function printable(text: string): string {
  return text
    .replace(/\r\n|[\n\r\t\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}

/** A payload as one line; bytes and big numbers are no JSON, and shown as what they are. */
export function asJson(value: unknown): string {
  const shown = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner instanceof Error) return describeError(inner);
    if (inner instanceof Uint8Array) return { $bytes: Buffer.from(inner).toString('base64') };
    return inner;
  });
  return shown ?? 'null';
}

/** A line that is being typed. */
export interface Prompt {
  hide(): void;
  show(): void;
}

/** One fact, for people or as a line of JSON: results to standard output, all else to standard error. */
export class Output {
  readonly #streams: Streams;
  readonly #format: 'text' | 'json';
  #prompt: Prompt | undefined;

  constructor(streams: Streams, format: 'text' | 'json') {
    this.#streams = streams;
    this.#format = format;
  }

  result(text: string, fact: Readonly<Record<string, unknown>>): void {
    this.#write(this.#streams.out, text, fact);
  }

  note(text: string, fact: Readonly<Record<string, unknown>>): void {
    this.#write(this.#streams.err, text, fact);
  }

  /** From here on, what is printed stands above a line that somebody types. */
  setPrompt(prompt: Prompt | undefined): void {
    this.#prompt = prompt;
  }

  #write(stream: Streams['out'], text: string, fact: Readonly<Record<string, unknown>>): void {
    this.#prompt?.hide();
    stream.write(`${this.#format === 'json' ? asJson(fact) : printable(text)}\n`);
    this.#prompt?.show();
  }

  /** With the code of the error, if it has one. */
  error(error: unknown, about?: string): void {
    const { code, message } = describeError(error);
    const text = `${about === undefined ? '' : `${about}: `}${message}${code === undefined ? '' : ` [${code}]`}`;
    this.note(text, { type: 'error', about, code, message });
  }
}

function describeError(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === 'string' ? code : undefined, message: error.message };
}
