import type { Item, Many } from '../wire.js';

/** Ways to make a frame wrong. */
export const itemsOf = (frame: Many): readonly Item[] =>
  Array.isArray(frame) ? (frame.slice(2) as Item[]) : [];

/** Each item becomes another one, several or none. Numbers are not looked after: it is meant to be wrong. */
export const each =
  (change: (item: Item) => readonly Item[]) =>
  (frame: Many): Many[] => {
    if (!Array.isArray(frame)) return [frame];
    return [
      [
        frame[0],
        frame[1],
        ...itemsOf(frame).flatMap((item) => (Array.isArray(item) ? change(item) : [item])),
      ],
    ];
  };

export const without = (...types: readonly unknown[]) =>
  each((item) => (types.includes(item[0]) ? [] : [item]));

/** Items of one type become something else. */
export const change = (type: number, to: (item: Item) => Item) =>
  each((item) => [item[0] === type ? to(item) : item]);

/** Fields of HELLO or WELCOME. */
export const fields = <F extends object>(type: number, to: (fields: F) => object) =>
  change(type, (item) => [type, { ...(item[1] as F), ...to(item[1] as F) }, ...item.slice(2)]);

export const ack = (to: (ack: number) => number) => (frame: Many) =>
  Array.isArray(frame) ? [[to(Number(frame[0])), ...frame.slice(1)]] : [frame];

/** Frames with such an item come twice. */
export const twice =
  (...types: readonly unknown[]) =>
  (frame: Many) =>
    itemsOf(frame).some((item) => types.includes(item?.[0])) ? [frame, frame] : [frame];
