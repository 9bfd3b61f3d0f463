import { Program } from '../program.js';
import type { Answers, ClientQuestion, Count, LoadQuestion, ServerQuestion, Usage } from './questions.js';
import type { System } from './system.js';

const programAt = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
const FLAGS = ['--expose-gc'];

/** What one message has cost each process, µs. */
export interface Cpu {
  readonly server: number;
  readonly client: number;
}

export interface Measurement extends Count {
  readonly cpu: Cpu;
}

/** A server and its clients, each in a process of its own. */
export class Contest {
  readonly #server: Program;
  readonly #client: Program;

  private constructor(server: Program, client: Program) {
    this.#server = server;
    this.#client = client;
  }

  /** `through`: gives the port of something before the server's, which the clients dial instead. */
  static async start(
    { key }: System,
    through: (port: number) => Promise<number> = async (port) => port,
  ): Promise<Contest> {
    const { program: server, ready } = await Program.start(programAt('server'), [key], FLAGS);
    try {
      const port = await through((ready as { readonly port: number }).port);
      const { program: client } = await Program.start(programAt('client'), [key, String(port)], FLAGS);
      return new Contest(server, client);
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  /** Aborted when one of the two has ended. */
  get gone(): AbortSignal {
    return AbortSignal.any([this.#server.gone, this.#client.gone]);
  }

  async client<Q extends ClientQuestion>(question: Q): Promise<Answers[Q['ask']]> {
    return (await this.#client.ask(question)) as Answers[Q['ask']];
  }

  async server<Q extends ServerQuestion>(question: Q): Promise<Answers[Q['ask']]> {
    return (await this.#server.ask(question)) as Answers[Q['ask']];
  }

  /** With what it has cost; what both processes do between two questions is nothing. */
  async measure(question: LoadQuestion): Promise<Measurement> {
    const before = await this.#usage();
    const count = await this.client(question);
    const after = await this.#usage();
    const each = (side: keyof Cpu): number =>
      (after[side].cpuMicros - before[side].cpuMicros) / Math.max(1, count.handled);
    return { ...count, cpu: { server: each('server'), client: each('client') } };
  }

  async #usage(): Promise<Readonly<Record<keyof Cpu, Usage>>> {
    const question = { ask: 'usage', collected: false } as const;
    return { server: await this.server(question), client: await this.client(question) };
  }

  async end(): Promise<void> {
    await Promise.all([this.#client.end(), this.#server.end()]);
  }
}
