import { Program } from './program.js';
import type { AnswerTo, Question, Ready } from './questions.js';

/** A side of a conversation, in a process of its own. */
export class Child {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** Resolves when a server listens, or a client is connected. */
  static async start(role: 'server' | 'client', key: string, port = 0): Promise<{ child: Child } & Ready> {
    const side = new URL('./side.js', import.meta.url);
    const { program, ready } = await Program.start(side, [role, key, String(port)]);
    return { child: new Child(program), ...(ready as Ready) };
  }

  get gone(): AbortSignal {
    return this.#program.gone;
  }

  /** One question at a time. */
  async ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>> {
    return (await this.#program.ask(question)) as AnswerTo<Q>;
  }

  end(): Promise<void> {
    return this.#program.end();
  }
}
