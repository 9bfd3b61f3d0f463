import type { SessionStore } from '@holdfast/server/ports';
import type { Dice } from './dice.js';
import type { SimProcess } from './sim-process.js';

/** How a process reaches its store. */
export interface StoreWeather {
  /** Undefined: the store is in the memory of the process and answers at once. */
  readonly maxDelayMs: number | undefined;
  /** How many calls of a hundred fail at the moment, half of them after they had worked. */
  failing: number;
}

/** What is put in comes out later, in the same order. */
class Line {
  readonly #waiting: (() => void)[] = [];
  #lastAt = 0;

  put(
    run: () => void,
    clock: Pick<SimProcess, 'now'> & { setTimer(run: () => void, ms: number): unknown },
    ms: number,
  ): void {
    this.#waiting.push(run);
    this.#lastAt = Math.max(this.#lastAt, clock.now() + ms);
    clock.setTimer(() => this.#waiting.shift()?.(), this.#lastAt - clock.now());
  }
}

const CALLS = [
  'attach',
  'accept',
  'append',
  'withdraw',
  'read',
  'detach',
  'end',
  'claim',
  'renew',
  'release',
  'done',
  'orphans',
  'publish',
  'find',
  'describe',
  'move',
  'cast',
  'readRoom',
  'present',
  'whoIsThere',
  'beat',
] as const satisfies readonly (keyof SessionStore)[];

type Call = (value: unknown) => unknown;
type Publish = SessionStore['publish'];

export interface FarStoreSurroundings {
  readonly process: SimProcess;
  /** Time that goes on while the process stands still. */
  readonly clock: { now(): number; setTimer(run: () => void, ms: number): unknown };
  readonly dice: Dice;
  readonly weather: StoreWeather;
}

/**
 * A store as one process sees it: at the end of a line on which calls and answers take their time in order, and may
 * get lost. What a process said before it died stays said; the dead and the standing get no answers.
 */
export function farStore(store: () => SessionStore, around: FarStoreSurroundings): SessionStore {
  const { process, weather } = around;
  const reach = weather.maxDelayMs === undefined ? near(process) : far(around);
  const seen: { [name: string]: unknown } = {
    durability: store().durability,
    leaseMs: store().leaseMs,
    listen(listener: Parameters<SessionStore['listen']>[0]) {
      let listening = true;
      const notes = new Line();
      const stop = store().listen((note) => {
        const tell = (): void => process.run(() => listening && listener(note));
        if (weather.maxDelayMs === undefined) tell();
        else notes.put(tell, around.clock, around.dice.roll(weather.maxDelayMs + 1));
      });
      return () => {
        listening = false;
        stop();
      };
    },
  };
  for (const name of CALLS) {
    const call: Call = (value) => (store()[name] as Call)(value);
    seen[name] = (value: unknown) => reach(call, value, name);
  }
  // Remembered until it turns out to be old, as by who does not ask before each publication.
  let incarnation: string | undefined;
  const publish = seen['publish'] as Publish;
  seen['incarnation'] = () => {
    incarnation ??= store().incarnation({ room: '' }) as string;
    return incarnation;
  };
  seen['publish'] = (call: Parameters<Publish>[0]) => {
    const answer = publish(call);
    if (!(answer instanceof Promise)) return answer;
    return answer.then((published) => {
      if (published.status === 'lost') incarnation = undefined;
      return published;
    });
  };
  return seen as unknown as SessionStore;
}

type Reach = (call: Call, value: unknown, name: string) => unknown;

/** Nobody answers the dead. */
function near(process: SimProcess): Reach {
  return (call, value) => (process.alive ? call(value) : new Promise(() => undefined));
}

function far({ process, clock, dice, weather }: FarStoreSurroundings): Reach {
  const there = new Line();
  const back = new Line();
  const delay = (): number => dice.roll((weather.maxDelayMs ?? 0) + 1);
  return (call, value, name) =>
    new Promise((resolve, reject) => {
      if (!process.alive) return;
      const lost = dice.roll(100) < weather.failing ? dice.pick(['call', 'answer'] as const) : undefined;
      const fail = (): void => process.run(() => reject(new Error(`the store cannot be reached: ${name}`)));
      there.put(
        () => {
          if (lost === 'call') return back.put(fail, clock, delay());
          const answer = call(value);
          back.put(lost ? fail : () => process.run(() => resolve(answer)), clock, delay());
        },
        clock,
        delay(),
      );
    });
}
