/** A port, and how often each of its methods was called. */
export function counting<P extends object>(
  port: P,
): { readonly port: P; readonly calls: Map<string, number> } {
  const calls = new Map<string, number>();
  const counted = new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return Reflect.apply(value, target, values);
      };
    },
  });
  return { port: counted, calls };
}

/** Lets everything happen that waits for nothing but its turn, and nothing that others have to do: no task passes. */
export async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 16; turn++) await undefined;
}

interface Steps {
  next(): IteratorResult<unknown>;
}
const iterators = [new Map(), new Set(), []].map(
  (collection) => Object.getPrototypeOf(collection[Symbol.iterator]()) as Steps,
);

/**
 * How many steps are made over maps, sets and arrays meanwhile, by `for … of`, spreading and the like: who looks at every session looks
 * at a map of them. No port leads to these, so for a moment the platform's own iterators count.
 */
export async function stepsDuring(run: () => Promise<void>): Promise<number> {
  const originals = iterators.map(({ next }) => next);
  let steps = 0;
  for (let index = 0; index < iterators.length; index++) {
    const [iterator, next] = [iterators[index] as Steps, originals[index] as Steps['next']];
    iterator.next = function (this: unknown) {
      steps++;
      return Reflect.apply(next, this, []);
    };
  }
  try {
    await run();
  } finally {
    for (let index = 0; index < iterators.length; index++)
      (iterators[index] as Steps).next = originals[index] as Steps['next'];
  }
  return steps;
}
