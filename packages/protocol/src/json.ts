import { countElements, MAX_FRAME_ELEMENTS, TOO_DEEP, TOO_MANY } from './bounds.js';
import type { Codec } from './codec.js';
import { type Item, Type } from './frame.js';
import { FrameError } from './parse-frame.js';
import type { WireData } from './ports.js';

/**
 * JSON in text frames: readable, in every platform, nothing to load. A payload is what `JSON.stringify` makes of
 * it: a `Date` becomes a string, `NaN` becomes `null`; `bigint`, functions and cycles are refused, and so is what
 * breaks a bound: 64 levels, 10,000 elements, keys of 256 bytes, the key `__proto__`.
 */
export function json(): Codec {
  return {
    name: 'json',
    encode: stringify,
    frame: (ack, firstSeq, items) => `[${[ack, firstSeq, ...items].join()}]`,
    publication(event, room, offset) {
      // `[2,` gives way to what begins a publication.
      return `[${Type.PUB},${room},${offset},${event.slice(3)}`;
    },
    decode: parse,
  };
}

function stringify(item: Item): string {
  const data = item[0] === Type.PUB || item[0] === Type.ERR ? item[4] : item[2];
  if (typeof data === 'function' || typeof data === 'symbol') {
    throw new TypeError(`JSON has no word for a ${typeof data}`);
  }
  // An absent last element is `undefined` at the other end; JSON would make it `null`.
  const used = item.slice(0, item.findLastIndex((part) => part !== undefined) + 1);
  let text: string;
  try {
    text = JSON.stringify(used);
  } catch (cause) {
    // The stack did not suffice.
    throw cause instanceof RangeError ? new TypeError(TOO_DEEP, { cause }) : cause;
  }
  // Where a `toJSON` or what JSON leaves out makes the difference, the text tells.
  if (countElements(used, 0) === Infinity && countElements(JSON.parse(text), 0) === Infinity) {
    throw new TypeError(TOO_MANY);
  }
  return text;
}

function parse(data: WireData): unknown {
  if (typeof data !== 'string') throw new FrameError('JSON comes in text frames, not in binary ones');
  try {
    const frame: unknown = JSON.parse(data);
    if (countElements(frame, -1) > MAX_FRAME_ELEMENTS) throw new TypeError(TOO_MANY);
    return frame;
  } catch (cause) {
    throw new FrameError(cause instanceof TypeError ? cause.message : 'not JSON');
  }
}
