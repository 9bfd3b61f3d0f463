/** What a bench counts. Latencies are round trips, from `send` to the echo, in ms. */
export interface Figures {
  readonly clients: number;
  readonly seconds: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Sends that ended with an error, which the application was told. */
  readonly failed: number;
  /** Acknowledged, or of unknown fate, and no echo came. */
  readonly lost: number;
  /** Echoes beyond the first of a message. */
  readonly doubled: number;
  readonly reconnects: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | undefined;
  /** How many sends failed with each code. */
  readonly errors: Readonly<Record<string, number>>;
}

interface Entry {
  readonly sentAt: number;
  echoes: number;
  outcome: 'open' | 'acknowledged' | 'unknown' | 'failed';
}

/** Follows every message of every client to its end. Counts as it goes: a look costs nothing, however many there are. */
export class Tally {
  readonly #entries = new Map<string, Entry>();
  readonly #latencies: number[] = [];
  readonly #errors = new Map<string, number>();
  /** Sends that have not settled. */
  #unsettled = 0;
  #acknowledged = 0;
  #failed = 0;
  /** What should come back and has not. */
  #missing = 0;
  #doubled = 0;
  #reconnects = 0;

  sent(id: string, at: number): void {
    this.#entries.set(id, { sentAt: at, echoes: 0, outcome: 'open' });
    this.#unsettled += 1;
    this.#missing += 1;
  }

  acknowledged(id: string): void {
    this.#settle(id, 'acknowledged');
    this.#acknowledged += 1;
  }

  failed(id: string, code: string, delivery: string | undefined): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    this.#failed += 1;
    this.#settle(id, delivery === 'unknown' ? 'unknown' : 'failed');
  }

  /** What is no message of ours is nobody's business. */
  echoed(id: string, at: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.echoes += 1;
    if (entry.echoes > 1) {
      this.#doubled += 1;
      return;
    }
    this.#latencies.push(at - entry.sentAt);
    if (entry.outcome !== 'failed') this.#missing -= 1;
  }

  reconnected(): void {
    this.#reconnects += 1;
  }

  /** Something has not settled, or not come back. */
  get isOpen(): boolean {
    return this.#unsettled + this.#missing > 0;
  }

  counts(): Pick<Figures, 'sent' | 'acknowledged' | 'failed' | 'reconnects'> {
    return {
      sent: this.#entries.size,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      reconnects: this.#reconnects,
    };
  }

  figures(clients: number, seconds: number): Figures {
    const sorted = Float64Array.from(this.#latencies).sort();
    const latencyMs = {
      p50: percentile(sorted, 50),
      p95: percentile(sorted, 95),
      p99: percentile(sorted, 99),
    };
    return {
      clients,
      seconds,
      ...this.counts(),
      lost: this.#missing,
      doubled: this.#doubled,
      latencyMs: sorted.length === 0 ? undefined : latencyMs,
      errors: Object.fromEntries(this.#errors),
    };
  }

  #settle(id: string, outcome: Entry['outcome']): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.outcome = outcome;
    this.#unsettled -= 1;
    if (outcome === 'failed' && entry.echoes === 0) this.#missing -= 1;
  }
}

/** The least value that so many percent do not exceed (nearest rank). */
function percentile(sorted: Float64Array, percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return Math.round((sorted[rank - 1] ?? 0) * 100) / 100;
}

/** Rows of a name and a figure. */
export function table(figures: Figures): string {
  const { clients, seconds, sent, acknowledged, failed, lost, doubled, reconnects, latencyMs, errors } =
    figures;
  const ms = (value: number | undefined): string => (value === undefined ? '-' : `${value} ms`);
  const codes = Object.entries(errors).map(([code, count]) => `${code} × ${count}`);
  const rows: readonly (readonly [string, string | number])[] = [
    ['clients', clients],
    ['seconds', seconds],
    ['sent', sent],
    ['acknowledged', acknowledged],
    ['failed', codes.length > 0 ? `${failed} (${codes.join(', ')})` : failed],
    ['lost', lost],
    ['doubled', doubled],
    ['reconnects', reconnects],
    ['latency p50', ms(latencyMs?.p50)],
    ['latency p95', ms(latencyMs?.p95)],
    ['latency p99', ms(latencyMs?.p99)],
  ];
  return rows.map(([name, figure]) => `${name.padEnd(13)} ${figure}`).join('\n');
}
