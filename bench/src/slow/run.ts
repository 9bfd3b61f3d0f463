import { Program } from '../program.js';
import type { Figures, Pair } from './figures.js';
import type { CrowdQuestion, Lane, Latency, Overflow, Sent, ServerQuestion, Weight } from './questions.js';

/** The other one is the hundredth. */
const CROWD = 99;
/** Far less than what it takes: latency under load would only say how long the load is. */
const STEADY = { perSecond: 40, ms: 500 };
const FLAT_OUT_MS = 500;
/** What is measured first is not the same twice: code is still being compiled. */
const WARM_UP_MS = 1_500;

export const LANES = ['room', 'direct'] as const satisfies readonly Lane[];

const programAt = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

export interface Options {
  readonly rounds: number;
  readonly overflow: Overflow;
  /** What the hundredth is in the second half of each round. */
  readonly second: 'stalled' | 'quick';
}

/**
 * One server, 99 clients in a process of their own, and the hundredth in another, which reads and stands still by turns:
 * whatever else slows the machine down meanwhile is shared by both.
 */
export async function run(
  { rounds, overflow, second }: Options,
  told: (round: number) => void,
): Promise<Readonly<Record<Lane, Pair[]>>> {
  const programs: Program[] = [];
  const start = async (name: string, args: readonly string[], flags?: readonly string[]) => {
    const { program, ready } = await Program.start(programAt(name), args, flags);
    programs.push(program);
    return { program, ready };
  };
  try {
    const { program: server, ready } = await start('server', [overflow], ['--expose-gc']);
    const { port } = ready as { readonly port: number };
    const { program: crowd } = await start('crowd', [String(port), String(CROWD), 'all']);
    const { program: other } = await start('crowd', [String(port), '1', 'all', 'hundredth']);
    const bench = new Bench(server, crowd, other);
    await bench.warmUp();
    const pairs: Record<Lane, Pair[]> = { room: [], direct: [] };
    for (let round = 1; round <= rounds; round++) {
      told(round);
      const quick = await bench.withQuick();
      const stalled = second === 'stalled' ? await bench.withStalled() : await bench.withQuick();
      for (const lane of LANES) pairs[lane].push({ quick: quick[lane], stalled: stalled[lane] });
    }
    return pairs;
  } finally {
    await Promise.all(programs.map((program) => program.end()));
  }
}

class Bench {
  readonly #server: Program;
  readonly #crowd: Program;
  readonly #hundredth: Program;

  constructor(server: Program, crowd: Program, hundredth: Program) {
    this.#server = server;
    this.#crowd = crowd;
    this.#hundredth = hundredth;
  }

  async warmUp(): Promise<void> {
    for (const lane of LANES) await this.#ask({ ask: 'flat-out', lane, ms: WARM_UP_MS });
  }

  async withQuick(): Promise<Readonly<Record<Lane, Figures>>> {
    await this.#ask({ ask: 'fill' });
    await this.#ask({ ask: 'settle' });
    return this.#measureAll();
  }

  async withStalled(): Promise<Readonly<Record<Lane, Figures>>> {
    this.#hundredth.stall();
    await this.#ask({ ask: 'fill' });
    const figures = await this.#measureAll();
    this.#hundredth.resume();
    await this.#ask({ ask: 'settle' });
    return figures;
  }

  async #measureAll(): Promise<Readonly<Record<Lane, Figures>>> {
    return { room: await this.#measure('room'), direct: await this.#measure('direct') };
  }

  async #measure(lane: Lane): Promise<Figures> {
    await this.#latency();
    await this.#ask({ ask: 'steady', lane, ...STEADY });
    const { p50Ms, p99Ms } = await this.#latency();
    const sent = (await this.#ask({ ask: 'flat-out', lane, ms: FLAT_OUT_MS })) as Sent;
    const { heard } = await this.#latency();
    const { bytes } = (await this.#ask({ ask: 'weigh' })) as Weight;
    return {
      perSecond: heard / sent.seconds,
      p50Ms,
      p99Ms,
      cpuMicros: sent.cpuMicros / sent.messages,
      memoryMiB: bytes / 2 ** 20,
    };
  }

  #ask(question: ServerQuestion): Promise<unknown> {
    return this.#server.ask(question);
  }

  async #latency(): Promise<Latency> {
    return (await this.#crowd.ask({ ask: 'latency' } satisfies CrowdQuestion)) as Latency;
  }
}
