const REPEAT_MS = 2500;
const IDLE_MS = 3000;
/** Longer than the time between two repeats, for somebody whose last word is late or lost. */
const FORGET_MS = 6000;

/** Says that one is typing: at once, then again now and then, and that it is over after a pause. */
export class TypingTeller {
  readonly #tell: (isTyping: boolean) => void;
  #toldAt = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (isTyping: boolean) => void) {
    this.#tell = tell;
  }

  typed(now = Date.now()): void {
    if (now - this.#toldAt >= REPEAT_MS) {
      this.#toldAt = now;
      this.#tell(true);
    }
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS);
  }

  stop(): void {
    if (this.#toldAt > 0) this.#tell(false);
    this.sent();
  }

  /** A message says by itself that its writer has stopped typing. */
  sent(): void {
    clearTimeout(this.#idle);
    this.#toldAt = 0;
  }
}

/** Who else is typing in a room. */
export class Typists {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get names(): readonly string[] {
    return [...this.#timers.keys()];
  }

  heard(name: string, isTyping: boolean): void {
    clearTimeout(this.#timers.get(name));
    if (isTyping)
      this.#timers.set(
        name,
        setTimeout(() => this.heard(name, false), FORGET_MS),
      );
    else this.#timers.delete(name);
    this.#changed();
  }

  /** Without a connection nobody knows. */
  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#changed();
  }
}

export function typingWords(names: readonly string[]): string {
  const [first, second, ...others] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing…`;
  return others.length === 0 ? `${first} and ${second} are typing…` : 'Several people are typing…';
}
