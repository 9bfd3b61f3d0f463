import type { OpenOutbox, OutboxStore } from '@holdfast/client/storage';
import type { Life } from './ground.js';

/** Between whoever runs the cases and the program whose life it is. */
export interface Port {
  post(message: unknown): void;
  hear(listener: (message: never) => void): void;
}

interface Call {
  readonly call: number;
  /** Which outbox; of `open`: the one to be. */
  readonly outbox: number;
  readonly what: 'open' | Exclude<keyof OpenOutbox, 'damage'>;
  readonly args: readonly unknown[];
}
type Answer =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: string };

/** In the program: does what it is told to. */
export function serve(storeOf: (place: string) => OutboxStore, port: Port): void {
  const opened = new Map<number, OpenOutbox>();
  const run = async ({ outbox, what, args }: Call): Promise<unknown> => {
    if (what === 'open') {
      const [place, userId] = args as [string, string];
      opened.set(outbox, await storeOf(place).open(userId));
      return undefined;
    }
    const one = opened.get(outbox) as unknown as Record<string, (...args: unknown[]) => unknown>;
    return one[what]?.(...args);
  };
  port.hear((call: Call) => {
    run(call).then(
      (value) => port.post({ call: call.call, value } satisfies Answer),
      (error) => port.post({ call: call.call, error: String(error) } satisfies Answer),
    );
  });
}

/** At the other end: calls it. */
export function lifeAt(port: Port, crash: (open: number) => Promise<void>): Life {
  let calls = 0;
  let open = 0;
  const waiting = new Map<number, (answer: Answer) => void>();
  port.hear((answer: Answer) => waiting.get(answer.call)?.(answer));
  const ask = (outbox: number, what: Call['what'], args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const call = ++calls;
      waiting.set(call, (answer) => {
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.value);
      });
      port.post({ call, outbox, what, args } satisfies Call);
    });
  return {
    async open(place, userId) {
      const outbox = calls + 1;
      await ask(outbox, 'open', [place, userId]);
      open++;
      return {
        adopt: () => ask(outbox, 'adopt', []) as ReturnType<OpenOutbox['adopt']>,
        put: (messages) => ask(outbox, 'put', [messages]) as Promise<void>,
        remove: (places) => ask(outbox, 'remove', [places]) as Promise<void>,
        async close() {
          await ask(outbox, 'close', []);
          open--;
        },
      };
    },
    crash: () => crash(open),
  };
}
