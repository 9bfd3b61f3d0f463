import type { Operation } from './operations.js';
import { Place } from './place.js';

/** Operations, and what there is more and more of meanwhile. */
export interface Group {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly operations: readonly Operation[];
  /** Fills a place with it. */
  fill(place: Place, size: number): Promise<void>;
}

export interface Row {
  readonly title: string;
  /** Of each size, in microseconds: the least of the rounds, since whatever else the machine does only adds to it. */
  readonly micros: readonly number[];
}

/** What is measured first is not the same twice: code is still being compiled. */
const WARM_UP = 2;

/** All sizes in turn in each round: what else slows the machine down meanwhile slows all of them. */
export async function measure(
  { sizes, operations, fill }: Group,
  rounds: number,
  told: (operation: string) => void,
): Promise<readonly Row[]> {
  const places = await Promise.all(sizes.map((size) => filled(size, fill)));
  const rows: Row[] = [];
  for (const operation of operations) {
    told(operation.title);
    const samples: number[][] = sizes.map(() => []);
    const ready = await Promise.all(
      places.map((place, index) => operation.prepare(place, sizes[index] ?? 0)),
    );
    for (let round = 1; round <= WARM_UP + rounds; round++) {
      for (const [index, act] of ready.entries()) {
        const micros = (await timed(act, operation.times)) / (operation.parts?.(sizes[index] ?? 0) ?? 1);
        if (round > WARM_UP) samples[index]?.push(micros);
      }
    }
    rows.push({ title: operation.title, micros: samples.map((all) => Math.min(...all)) });
  }
  return rows;
}

async function filled(size: number, fill: Group['fill']): Promise<Place> {
  const place = new Place();
  await fill(place, size);
  return place;
}

/** Of the processor, in microseconds, each: the time on the clock is shared with whoever else is on the machine. */
async function timed(act: () => unknown, times: number): Promise<number> {
  const before = process.cpuUsage();
  for (let left = times; left > 0; left--) await act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}
