import type { SessionStore } from '@holdfast/server/ports';

/** A store as one process sees it: when the process is dead, whatever it still says reaches nobody. */
export interface MortalStore {
  readonly store: SessionStore;
  die(): void;
}

/** The same store again for another process; what was said before a death stays said. */
export function mortal(store: SessionStore): MortalStore {
  let life: 'alive' | 'dead' = 'alive';
  const seen = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]) => {
        if (life === 'alive') return Reflect.apply(value, target, values) as unknown;
        // Nobody answers the dead.
        return new Promise(() => undefined);
      };
    },
  });
  return {
    store: seen,
    die: () => {
      life = 'dead';
    },
  };
}
