import type { Codec } from './codec.js';
import { type Item, Type } from './frame.js';
import { FrameError } from './parse-frame.js';

/**
 * JSON in text frames: readable, in every platform, nothing to load. A payload is what `JSON.stringify` makes of
 * it: a `Date` becomes a string, `NaN` becomes `null`; `bigint`, functions and cycles are refused.
 */
export function json(): Codec {
  return {
    name: 'json',
    encode: (item) => stringify(item),
    frame: (ack, firstSeq, items) => `[${[ack, firstSeq, ...items].join()}]`,
    decode(data) {
      if (typeof data !== 'string') throw new FrameError('JSON comes in text frames, not in binary ones');
      try {
        return JSON.parse(data) as unknown;
      } catch {
        throw new FrameError('not JSON');
      }
    },
  };
}

function stringify(item: Item): string {
  const data = item[0] === Type.PUB ? item[4] : item[2];
  if (typeof data === 'function' || typeof data === 'symbol') {
    throw new TypeError(`JSON has no word for a ${typeof data}`);
  }
  // An absent last element is `undefined` at the other end; JSON would make it `null`.
  const used = item.findLastIndex((part) => part !== undefined) + 1;
  return JSON.stringify(item.slice(0, used));
}
