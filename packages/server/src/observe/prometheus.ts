import { CloseCode, checkKeys, checkType } from '@holdfast/protocol';
import { Counter, Gauge, type Histogram, Registry } from 'prom-client';
import { Durations } from './durations.js';
import type { Observed, Observer } from './observer.js';
import type { ServerStats } from './stats.js';

export interface PrometheusOptions {
  /** Begins the name of each metric; letters, digits, `_` and `:`; default `holdfast_`. */
  prefix?: string | undefined;
  /** On every metric, for example `{ app: 'chat' }`; default none. Not with `registry`, whose own default labels count. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Where they are registered, beside others of your own; default: a registry of their own. */
  registry?: Registry | undefined;
}

/** An observer of one server, and what it has counted in the text format of Prometheus. */
export interface Metrics extends Observer {
  readonly registry: Registry;
  readonly contentType: string;
  /** All of the registry. */
  metrics(): Promise<string>;
}

/** From what an acknowledgement in a rack takes to a client that slept; seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const KNOWN_CLOSE_CODES: ReadonlySet<number> = new Set(Object.values(CloseCode));

/** So that a rate is known from the first one on. */
const VALUES = {
  verdict: ['new', 'resumed', 'lost'],
  direction: ['in', 'out'],
  reason: ['outbox-full', 'superseded', 'volatile', 'room-log', 'session-ended'],
  limit: ['handshakes', 'renewals', 'messages', 'user-connections', 'address-connections'],
} as const;

/**
 * Counts for Prometheus what a server does: `createHoldfastServer({ observe: prometheus() })`, one for each server. The
 * metrics are listed in docs/observability.md. Labels are bounded: none holds what a client has made up. Throws a
 * `TypeError` that names the option, the rule and the value.
 */
export function prometheus(options: PrometheusOptions = {}): Metrics {
  const { prefix, registry } = resolve(options);
  const counter = counterOf(prefix, registry);
  const durations = durationsOf(prefix, registry);
  const attaches = counter('attaches', 'Handshakes that ended in a WELCOME', 'verdict', VALUES.verdict);
  const detaches = counter('detaches', 'Connections that sessions have lost, by close code', 'code');
  const ended = counter('sessions_ended', 'Sessions that have ended', 'reason');
  const messages = messageCounter(prefix, registry);
  const dropped = counter('dropped_messages', 'Messages that will not arrive', 'reason', VALUES.reason);
  const limited = counter('limited', 'Refusals because of a limit', 'limit', VALUES.limit);
  const errors = counter('errors', 'Refusals of connections and messages', 'code');
  const failures = new Counter({
    name: `${prefix}failures_total`,
    help: 'Errors told to onError',
    registers: [registry],
  });
  const handshakes = durations('handshake', 'From the connection to the WELCOME', []).tally();
  const acks = durations('ack', 'From a message written to its acknowledgement by the client', []).tally();
  const store = durations('store', 'What a shared store is asked, until it answers or fails', ['operation']);
  const asked = byName((operation) => store.tally({ operation }));
  const storeErrors = counter('store_errors', 'What a shared store has failed to answer', 'operation');
  const handlers = durations('handler', 'Listeners and handlers of the application', ['kind', 'name']);
  const handled = {
    event: byName((name) => handlers.tally({ kind: 'event', name })),
    request: byName((name) => handlers.tally({ kind: 'request', name })),
  };

  return {
    registry,
    get contentType() {
      return registry.contentType;
    },
    metrics: () => registry.metrics(),
    serving: gaugesOf(prefix, registry),
    greeted: ({ verdict, ms }) => {
      attaches.inc({ verdict });
      handshakes.add(ms / 1_000);
    },
    refused: ({ code }) => errors.inc({ code }),
    limited: ({ limit }) => limited.inc({ limit }),
    detached: ({ code }) => detaches.inc({ code: KNOWN_CLOSE_CODES.has(code) ? code : 'other' }),
    ended: ({ reason }) => ended.inc({ reason }),
    messages,
    acknowledged: (ms) => acks.add(ms / 1_000),
    handled: ({ kind, name, ms }) => handled[kind](name).add(ms / 1_000),
    rejected: ({ code }) => errors.inc({ code }),
    dropped: ({ reason, messages: count }) => dropped.inc({ reason }, count),
    storeAsked: ({ operation, ms, outcome }) => {
      asked(operation).add(ms / 1_000);
      if (outcome === 'failed') storeErrors.inc({ operation });
    },
    failed: () => failures.inc(),
  };
}

/** Read from the server when they are asked for. */
function gaugesOf(prefix: string, registry: Registry): (stats: () => ServerStats) => void {
  let stats: (() => ServerStats) | undefined;
  let counted: ServerStats | undefined;
  /** A scrape asks all gauges in one task: the server counts for the first of them. */
  const count = (): ServerStats | undefined => {
    if (counted || !stats) return counted;
    counted = stats();
    void Promise.resolve().then(() => {
      counted = undefined;
    });
    return counted;
  };
  const gauge = (name: string, help: string, value: (stats: ServerStats) => number | undefined): void => {
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        const counts = count();
        const now = counts && value(counts);
        if (now === undefined) this.remove();
        else this.set(now);
      },
    });
  };
  gauge('connections', 'Connections with a session', ({ connections }) => connections);
  gauge('sessions', 'Sessions, with a connection or waiting for one', ({ sessions }) => sessions);
  gauge('users', 'Users with a session', ({ users }) => users);
  gauge('rooms', 'Rooms with a member', ({ rooms }) => rooms);
  gauge(
    'outbox_bytes',
    'What waits for clients or is unacknowledged by them',
    ({ outboxBytes }) => outboxBytes,
  );
  gauge('store_degraded', '1 while the store fails or is slow', ({ degraded }) => Number(degraded));
  gauge('draining', '1 from drain() or close() on', ({ draining }) => Number(draining));
  return (given) => {
    stats = given;
  };
}

/** Told with each message: adds them up, and gives the sums to its counter when that is asked for. */
function messageCounter(prefix: string, registry: Registry): Observed['messages'] {
  const since = { in: 0, out: 0 };
  new Counter({
    name: `${prefix}messages_total`,
    help: 'Messages from and to clients',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      for (const direction of VALUES.direction) {
        this.inc({ direction }, since[direction]);
        since[direction] = 0;
      }
    },
  });
  return (direction, count) => {
    since[direction] += count;
  };
}

function counterOf(prefix: string, registry: Registry) {
  return <Label extends string>(
    name: string,
    help: string,
    label: Label,
    values: readonly string[] = [],
  ): Counter<Label> => {
    const counter = new Counter({
      name: `${prefix}${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
    });
    for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
    return counter;
  };
}

function durationsOf(prefix: string, registry: Registry) {
  return (name: string, help: string, labelNames: string[]): Durations => {
    const durations = new Durations({ name: `${prefix}${name}_seconds`, help, labelNames, buckets: BUCKETS });
    // What a registry asks of a metric, of whatever class, are its name, `get()` and `reset()`.
    registry.registerMetric(durations as unknown as Histogram);
    return durations;
  };
}

/** Made once for each name. */
function byName<Value extends object>(make: (name: string) => Value): (name: string) => Value {
  const made = new Map<string, Value>();
  return (name) => {
    const known = made.get(name);
    if (known) return known;
    const value = make(name);
    made.set(name, value);
    return value;
  };
}

function resolve(options: PrometheusOptions): { readonly prefix: string; readonly registry: Registry } {
  checkKeys(options, ['prefix', 'labels', 'registry'], 'prometheus(options)');
  const { prefix = 'holdfast_', labels, registry = new Registry() } = options;
  if (typeof prefix !== 'string' || !/^[a-z_:][a-z0-9_:]*$/i.test(prefix)) {
    throw new TypeError(`prefix must be letters, digits, '_' and ':', not '${prefix}'`);
  }
  checkType(labels, 'object', 'labels');
  if (labels && options.registry) throw new TypeError('labels: set them on the registry that you give');
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (!/^[a-z_][a-z0-9_]*$/i.test(name)) throw new TypeError(`labels: '${name}' cannot name a label`);
    checkType(value, 'string', `labels.${name}`);
  }
  if (typeof registry?.registerMetric !== 'function')
    throw new TypeError('registry must be a Registry of prom-client');
  if (labels) registry.setDefaultLabels(labels);
  return { prefix, registry };
}
