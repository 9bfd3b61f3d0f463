import type { LoadQuestion } from './questions.js';

/** One row of the table. */
export interface Workload {
  readonly key: string;
  readonly title: string;
  /** Title of its chart, which stands by itself. */
  readonly chart: string;
  /** Where Holdfast is to come, as a ratio to the first system; where less is better, at most that. */
  readonly reach?: number;
  readonly better: 'more' | 'less';
  /** `rate`: messages a second. `p50`: ms of one. */
  readonly figure: 'rate' | 'p50';
  /** For how long it is measured, ms. */
  question(ms: number): LoadQuestion;
}

const SUBSCRIBERS = 1_000;

const rate = (
  key: string,
  title: string,
  chart: string,
  reach: number | undefined,
  question: Workload['question'],
): Workload => ({
  key,
  title,
  chart,
  ...(reach === undefined ? {} : { reach }),
  better: 'more',
  figure: 'rate',
  question,
});

const request = (inFlight: number, bytes: number) => (ms: number) =>
  ({ ask: 'request', inFlight, bytes, ms }) as const;
const up = (unconfirmed: number, bytes: number) => (ms: number) =>
  ({ ask: 'up', unconfirmed, bytes, ms }) as const;
const fanOut = (outstanding: number) => (ms: number) =>
  ({ ask: 'fan-out', subscribers: SUBSCRIBERS, outstanding, ms }) as const;

export const WORKLOADS: readonly Workload[] = [
  rate(
    'request-64',
    'requests answered a second, 64 in flight',
    'Requests answered, 64 in flight',
    2.3,
    request(64, 100),
  ),
  rate(
    'request-1000',
    'the same, 1,000 in flight, the most that a session may have',
    'Requests answered, 1,000 in flight',
    2.8,
    request(1_000, 100),
  ),
  rate(
    'request-1k',
    'the same with 1 KB, 64 in flight',
    'Requests of 1 KB answered',
    undefined,
    request(64, 1_000),
  ),
  rate(
    'request-64k',
    'the same with 64 KB, 8 in flight',
    'Requests of 64 KB answered',
    undefined,
    request(8, 64_000),
  ),
  rate('up', 'one way up, messages a second', 'Messages one way up', 3.5, up(4_096, 100)),
  rate('up-1k', 'the same with 1 KB', 'Messages of 1 KB one way up', undefined, up(2_048, 1_000)),
  rate('up-64k', 'the same with 64 KB', 'Messages of 64 KB one way up', undefined, up(64, 64_000)),
  rate('down', 'one way down, messages a second', 'Messages one way down', 4.5, (ms) => ({
    ask: 'down',
    ms,
  })),
  rate(
    'fan-out-8',
    `to ${SUBSCRIBERS.toLocaleString('en')} subscribers, 8 publications outstanding, deliveries a second`,
    'Deliveries to 1,000 subscribers',
    4.5,
    fanOut(8),
  ),
  rate(
    'fan-out-1',
    'the same, 1 outstanding',
    'Deliveries to 1,000 subscribers, one publication at a time',
    1.15,
    fanOut(1),
  ),
  {
    key: 'round-trip',
    title: 'round trip, median, ms',
    chart: 'Round trip of a request',
    reach: 1.15,
    better: 'less',
    figure: 'p50',
    question: request(1, 100),
  },
  {
    key: 'receipt',
    title: 'one way up, the next when the last is acknowledged, median, ms',
    chart: 'Acknowledgement of a message',
    better: 'less',
    figure: 'p50',
    question: (ms) => ({ ask: 'receipts', bytes: 100, ms }),
  },
];

/** What a connection costs a server, measured once for each system in processes of its own. */
export interface ConnectionCost {
  readonly key: 'memoryKiB' | 'connectMicros';
  readonly title: string;
  readonly chart: string;
  readonly reach: number;
  readonly better: 'less';
}

export const CONNECTION_COSTS: readonly ConnectionCost[] = [
  {
    key: 'memoryKiB',
    title: "server's memory for an idle connection, KiB",
    chart: "Server's memory for an idle connection",
    reach: 1.5,
    better: 'less',
  },
  {
    key: 'connectMicros',
    title: "server's processor time for a connection that is opened, µs",
    chart: "Server's processor time for a connection that is opened",
    reach: 1.8,
    better: 'less',
  },
];
