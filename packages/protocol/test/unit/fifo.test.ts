import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../src/fifo.js';

const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('push' as const) }) },
  fc.record({ do: fc.constant('take' as const), count: fc.nat(5) }),
  fc.record({ do: fc.constant('remove' as const), at: fc.nat(5) }),
);

test('is an array, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const [number, one] of acts.entries()) {
        if (one.do === 'push') {
          fifo.push(number);
          array.push(number);
        } else if (one.do === 'take') {
          expect(fifo.take(one.count)).toEqual(array.splice(0, one.count));
        } else {
          expect(fifo.items.splice(one.at, 1)).toEqual(array.splice(one.at, 1));
        }
        expect(fifo.length).toBe(array.length);
        expect(fifo.last).toBe(array.at(-1));
        expect([-1, 0, 1, 2, 3].map((index) => fifo.at(index))).toEqual([
          undefined,
          ...[0, 1, 2, 3].map((index) => array[index]),
        ]);
      }
      expect(fifo.items).toEqual(array);
    }),
  );
});
