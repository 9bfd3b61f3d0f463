import { Program } from '../program.js';
import type { ClientQuestion, Count, Usage } from './questions.js';
import type { System } from './system.js';

const programAt = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
const FLAGS = ['--expose-gc'];

/** A server and its clients, each in a process of its own. */
export class Contest {
  readonly #server: Program;
  readonly #client: Program;

  private constructor(server: Program, client: Program) {
    this.#server = server;
    this.#client = client;
  }

  static async start({ key }: System): Promise<Contest> {
    const { program: server, ready } = await Program.start(programAt('server'), [key], FLAGS);
    try {
      const { port } = ready as { readonly port: number };
      const { program: client } = await Program.start(programAt('client'), [key, String(port)], FLAGS);
      return new Contest(server, client);
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  async count(question: ClientQuestion): Promise<Count> {
    return (await this.#client.ask(question)) as Count;
  }

  async usage(): Promise<Usage> {
    return (await this.#server.ask({ ask: 'usage' })) as Usage;
  }

  async end(): Promise<void> {
    await Promise.all([this.#client.end(), this.#server.end()]);
  }
}
