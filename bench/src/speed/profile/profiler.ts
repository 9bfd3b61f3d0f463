import { Session } from 'node:inspector';
import { type SelfTime, selfTimes } from './self-time.js';

const INTERVAL_MICROS = 200;

/** Looks at what this process does. */
export class Profiler {
  readonly #session = new Session();

  /** Resolves once it looks. */
  async start(): Promise<void> {
    showJson();
    this.#session.connect();
    await this.#post('Profiler.enable');
    await this.#post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
    await this.#post('Profiler.start');
  }

  async stop(): Promise<SelfTime[]> {
    const { profile } = (await this.#post('Profiler.stop')) as { profile: Parameters<typeof selfTimes>[0] };
    this.#session.disconnect();
    return selfTimes(profile);
  }

  #post(method: string, parameters: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }
}

/** What is built into the engine counts as part of its caller; as a function of its own it is seen. */
function showJson(): void {
  const { parse, stringify } = JSON as {
    parse: (...args: readonly unknown[]) => unknown;
    stringify: (...args: readonly unknown[]) => string;
  };
  Object.assign(JSON, {
    parse: function jsonParse(...args: readonly unknown[]) {
      return parse(...args);
    },
    stringify: function jsonStringify(...args: readonly unknown[]) {
      return stringify(...args);
    },
  });
}
