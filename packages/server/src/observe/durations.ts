type Labels = Readonly<Record<string, string>>;
/** A line of what a registry says. */
interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName: string;
}

/** How many durations there were of each length, with the labels that they have in common. */
class Tally {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** The last one: of those that are longer than any bound. */
  #counts: number[];
  #sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = Array<number>(bounds.length + 1).fill(0);
  }

  add(seconds: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += seconds;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  /** As prom-client has it: each bucket with all that are smaller. */
  valuesOf(name: string): Value[] {
    const { labels } = this;
    let count = 0;
    const buckets = this.#counts.map((own, at) => {
      count += own;
      const le = this.#bounds[at] ?? '+Inf';
      return { labels: { le, ...labels }, value: count, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ];
  }
}

interface DurationsOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, rising; seconds. */
  readonly buckets: readonly number[];
}

/**
 * A histogram, to the registry as any other of prom-client: some are told with each message, and that of prom-client
 * hashes labels and looks up numbers as names of fields, which was a sixth of all that a server does for a message.
 */
export class Durations {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly labelNames: readonly string[];
  readonly #bounds: readonly number[];
  readonly #tallies: Tally[] = [];

  constructor({ name, help, labelNames, buckets }: DurationsOptions) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.#bounds = buckets;
  }

  /** For what has these labels; to be asked for once. */
  tally(labels: Labels = {}): Pick<Tally, 'add'> {
    const tally = new Tally(labels, this.#bounds);
    this.#tallies.push(tally);
    return tally;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#tallies.flatMap((tally) => tally.valuesOf(name)) };
  }

  reset(): void {
    for (const tally of this.#tallies) tally.reset();
  }
}
