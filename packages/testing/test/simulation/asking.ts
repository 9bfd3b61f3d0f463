import { isHoldfastError } from '@holdfast/client';
import type { ServerSession } from '@holdfast/server';
import { openBed, silent } from './people.js';

/** A connected client and its session at the server. */
export async function pair(options: Parameters<typeof openBed>[0] = {}) {
  const sessions: ServerSession[] = [];
  const bed = openBed({
    logger: silent,
    ...options,
    setup(server) {
      options.setup?.(server);
      server.onSession((one) => sessions.push(one));
    },
  });
  const client = bed.createClient();
  await bed.until(client.connect());
  const session = sessions[0] as ServerSession;
  /** The value, or code and delivery of the error. */
  const outcome = (promise: Promise<unknown>): Promise<unknown> =>
    bed.until(
      promise.then(
        (value) => value,
        (error: unknown) =>
          isHoldfastError(error) && 'delivery' in error ? `${error.code} ${error.delivery}` : error,
      ),
    );
  return { bed, client, session, sessions, outcome };
}

/** A handler that ends when the test says so. */
export function held() {
  const signals: AbortSignal[] = [];
  const answers: ((value: unknown) => void)[] = [];
  const handler = (_input: unknown, { signal }: { signal: AbortSignal }): Promise<unknown> => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  };
  return { handler, signals, answers };
}
