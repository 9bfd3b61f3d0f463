import type { ClientQuestion } from './questions.js';

/** One row of the table. */
export interface Workload {
  readonly key: string;
  readonly title: string;
  /** Where Holdfast is to come, as a ratio to the first system; where less is better, at most that. */
  readonly reach: number;
  readonly better: 'more' | 'less';
  /** `rate`: messages a second. `p50`: ms of one. */
  readonly figure: 'rate' | 'p50';
  readonly question: ClientQuestion;
}

const MS = 1_000;
const SUBSCRIBERS = 1_000;

export const WORKLOADS: readonly Workload[] = [
  {
    key: 'request-64',
    title: 'requests answered a second, 64 in flight',
    reach: 2.3,
    better: 'more',
    figure: 'rate',
    question: { ask: 'request', inFlight: 64, ms: MS },
  },
  {
    key: 'request-1000',
    title: 'the same, 1,000 in flight, the most that a session may have',
    reach: 2.8,
    better: 'more',
    figure: 'rate',
    question: { ask: 'request', inFlight: 1_000, ms: MS },
  },
  {
    key: 'up',
    title: 'one way up, messages a second',
    reach: 3.5,
    better: 'more',
    figure: 'rate',
    question: { ask: 'up', ms: MS },
  },
  {
    key: 'down',
    title: 'one way down, messages a second',
    reach: 4.5,
    better: 'more',
    figure: 'rate',
    question: { ask: 'down', ms: MS },
  },
  {
    key: 'fan-out-8',
    title: `to ${SUBSCRIBERS.toLocaleString('en')} subscribers, 8 publications outstanding, deliveries a second`,
    reach: 4.5,
    better: 'more',
    figure: 'rate',
    question: { ask: 'fan-out', subscribers: SUBSCRIBERS, outstanding: 8, ms: MS },
  },
  {
    key: 'fan-out-1',
    title: 'the same, 1 outstanding',
    reach: 1.15,
    better: 'more',
    figure: 'rate',
    question: { ask: 'fan-out', subscribers: SUBSCRIBERS, outstanding: 1, ms: MS },
  },
  {
    key: 'round-trip',
    title: 'round trip, median, ms',
    reach: 1.15,
    better: 'less',
    figure: 'p50',
    question: { ask: 'request', inFlight: 1, ms: MS },
  },
];

/** What a connection costs a server, measured once for each system in processes of its own. */
export interface ConnectionCost {
  readonly key: 'memoryKiB' | 'connectMicros';
  readonly title: string;
  readonly reach: number;
}

export const CONNECTION_COSTS: readonly ConnectionCost[] = [
  { key: 'memoryKiB', title: "server's memory for an idle connection, KiB", reach: 1.5 },
  { key: 'connectMicros', title: "server's processor time for a connection that is opened, µs", reach: 1.8 },
];
