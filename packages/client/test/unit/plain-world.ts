import { VirtualClock } from '@holdfast/testing';
import { expect, onTestFinished } from 'vitest';
import type { PlainOptions, PlainProtocols, PlainUrl } from '../../src/plain/plain-options.js';
import { PlainSocket } from '../../src/plain/plain-socket.js';
import type { Signal, TransportEnd, TransportEvents, WireData } from '../../src/ports.js';

/** One dial, and the other end of it: does as it is told. */
export class Dial {
  readonly sent: (WireData | Blob)[] = [];
  /** How we left it. */
  left: string | undefined;
  bufferedBytes = 0;

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
    readonly events: TransportEvents,
  ) {}

  send(data: WireData): void {
    this.sent.push(data);
  }

  close(code: number, reason: string): void {
    this.left ??= `${code} ${reason}`.trim();
  }

  open(protocol = ''): void {
    this.events.open(protocol);
  }

  say(data: WireData): void {
    this.events.message(data);
  }

  end(code = 1006, reason = '', more: Partial<TransportEnd> = {}): void {
    this.events.close({ code, reason, ...more });
  }
}

type Spoken = Event & {
  code?: number;
  reason?: string;
  wasClean?: boolean;
  message?: string;
  data?: unknown;
};

/** What an event says, in one line. */
export function line(event: Event): string {
  const { type, code, reason, wasClean, message, data } = event as Spoken;
  if (type === 'close')
    return `close ${code} ${reason}${wasClean ? '' : ' (unclean)'}`.replace('  ', ' ').trim();
  if (type === 'error') return `error ${message}`.trim();
  return type === 'message' ? `message ${data}` : type;
}

export interface WorldOptions extends PlainOptions {
  readonly url?: PlainUrl;
  readonly protocols?: PlainProtocols;
  readonly dialler?: (dial: Dial) => void;
  readonly baseUrl?: string;
}

/** A plain socket in virtual time. The dice always give the whole step: 500 ms, 1 s, 2 s, and so on. */
export function plainWorld({ url = 'ws://x/', protocols, dialler, baseUrl, ...options }: WorldOptions = {}) {
  const clock = new VirtualClock();
  const dials: Dial[] = [];
  const log: string[] = [];
  const faults: string[] = [];
  const ears = new Set<(signal: Signal) => void>();
  const ports = {
    clock,
    baseUrl,
    random: { fraction: () => 1, id: () => 'id' },
    dialer: {
      dial: (to: string, names: readonly string[], events: TransportEvents) => {
        const dial = new Dial(to, names, events);
        dialler?.(dial);
        dials.push(dial);
        return dial;
      },
    },
    signals: {
      listen: (tell: (signal: Signal) => void) => {
        ears.add(tell);
        return () => void ears.delete(tell);
      },
    },
    logger: {
      debug() {},
      info() {},
      warn() {},
      error: (text: string, error: unknown) => void faults.push(`${text}: ${(error as Error).message}`),
    },
  };
  const socket = new PlainSocket(ports, url, protocols, options);
  for (const type of ['open', 'message', 'error', 'close'] as const) {
    socket.addEventListener(type, (event: Event) => void log.push(line(event)));
  }
  const signal = (what: Signal): void => {
    for (const tell of [...ears]) tell(what);
  };
  /** The newest dial. */
  const last = (): Dial => {
    const dial = dials.at(-1);
    if (!dial) throw new Error('nobody has dialled');
    return dial;
  };
  const dialled = async (): Promise<Dial> => {
    await clock.settle();
    return last();
  };
  const opened = async (protocol = ''): Promise<Dial> => {
    const dial = await dialled();
    dial.open(protocol);
    return dial;
  };
  /** Nothing is left of it when it is closed. */
  onTestFinished(async () => {
    socket.close();
    await clock.settle();
    expect({ timers: clock.timers, ears: ears.size }).toEqual({ timers: 0, ears: 0 });
    const count = dials.length;
    for (const dial of dials) {
      dial.open();
      dial.say('late');
      dial.end();
    }
    await clock.advance(600_000);
    expect(dials.length).toBe(count);
    expect(log.filter((said) => said.includes('late'))).toEqual([]);
  });
  return { clock, socket, dials, log, faults, ears, signal, last, dialled, opened };
}
