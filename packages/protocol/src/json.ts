import { countElements, MAX_FRAME_ELEMENTS, TOO_MANY } from './bounds.js';
import type { Codec } from './codec.js';
import { FrameError, type Item, Type } from './frame.js';
import { mayHoldWords, mayNeedWords, revive, sayWord, weighOdd, weighWord } from './json-words.js';
import type { WireData } from './ports.js';

/**
 * JSON in text frames: readable, in every platform, nothing to load.
 *
 * A payload arrives as what it was: texts, numbers, booleans, `null`, arrays, objects with their own enumerable fields,
 * `Uint8Array` (also for a `Buffer`), `Date` and `bigint`, the last three as `{"$bytes":"…"}`, `{"$date":ms}` and
 * `{"$bigint":"…"}` on the wire. An object of your own that looks like one of these arrives as it is, too.
 * With that exception it is what `JSON.stringify` makes of it: whatever else has a `toJSON` arrives as what that returns;
 * a field that is `undefined` is left out, an `undefined` in an array becomes `null`, and so do `NaN` and the infinities;
 * `-0` becomes 0.
 *
 * Refused, with a `TypeError` that says so (`ERR_INVALID_PAYLOAD` at a send): functions and symbols wherever they stand,
 * an `ArrayBuffer` or another view than `Uint8Array`, an invalid `Date`, a bigint of more than 4,096 digits, and what
 * breaks a bound: 64 levels (so does a circle), 10,000 elements, keys of 256 bytes, the key `__proto__`.
 */
export function json(): Codec {
  return {
    name: 'json',
    encode: stringify,
    frame: (ack, firstSeq, items) =>
      items.length > 0 ? `[${ack},${firstSeq},${items.join()}]` : `[${ack},${firstSeq}]`,
    publication(event, room, offset) {
      // `[2,` gives way to what begins a publication.
      return `[${Type.PUB},${room},${offset},${event.slice(3)}`;
    },
    decode: parse,
  };
}

function stringify(item: Item): string {
  // An absent last element is `undefined` at the other end; JSON would make it `null`.
  let length: number = item.length;
  while (length > 0 && item[length - 1] === undefined) length--;
  const used = length === item.length ? item : item.slice(0, length);
  const isOdd = countElements(used, 0, weighOdd) === Infinity;
  const text = isOdd ? '' : JSON.stringify(used);
  if (!isOdd && !mayNeedWords(text)) return text;
  const withWords = JSON.stringify(used, sayWord);
  // Where a `toJSON` or what JSON leaves out makes the difference, the text tells.
  if (countElements(revive(JSON.parse(withWords), 0), 0, weighWord) === Infinity)
    throw new TypeError(TOO_MANY);
  return withWords;
}

function parse(data: WireData): unknown {
  if (typeof data !== 'string') throw new FrameError('JSON comes in text frames, not in binary ones');
  try {
    const parsed: unknown = JSON.parse(data);
    const withWords = mayHoldWords(data);
    const frame = withWords ? revive(parsed, -1) : parsed;
    const elements = countElements(frame, -1, withWords ? weighWord : undefined);
    if (elements > MAX_FRAME_ELEMENTS) throw new TypeError(TOO_MANY);
    return frame;
  } catch (cause) {
    throw new FrameError(cause instanceof TypeError ? cause.message : 'not JSON');
  }
}
