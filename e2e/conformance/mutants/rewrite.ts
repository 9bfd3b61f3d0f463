import { type Item, type Many, type Mutation, T } from '../wire.js';

/** Ways to make a frame wrong. */
export const itemsOf = (frame: Many): readonly Item[] =>
  Array.isArray(frame) ? (frame.slice(2) as Item[]) : [];

/**
 * Each item becomes another one, several or none; a frame of which nothing is left is not there. Numbers are not looked
 * after: it is meant to be wrong.
 */
export const each =
  (change: (item: Item) => readonly Item[]) =>
  (frame: Many): Many[] => {
    const before = itemsOf(frame);
    const after = before.flatMap((item) => (Array.isArray(item) ? change(item) : [item]));
    if (!Array.isArray(frame)) return [frame];
    return before.length > 0 && after.length === 0 ? [] : [[frame[0], frame[1], ...after]];
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

/** An ack that goes out by itself, or with the news of what has been handled, does not. */
export const notBare = (frame: Many): Many[] =>
  Number(frame[0]) > 0 && itemsOf(frame).every(([type]) => type === T.DONE) ? [] : [frame];

/** Frames with such an item come twice. */
export const twice =
  (...types: readonly unknown[]) =>
  (frame: Many) =>
    itemsOf(frame).some((item) => types.includes(item?.[0])) ? [frame, frame] : [frame];

/** A wrong implementation, and what notices it: parts of the names of cases. */
export interface Mutant {
  readonly is: string;
  readonly mutate: () => () => Mutation;
  readonly fails: readonly string[];
}

export const mutant = (
  is: string,
  mutation: Mutation | (() => () => Mutation),
  ...fails: readonly string[]
): Mutant => ({ is, mutate: typeof mutation === 'function' ? mutation : () => () => mutation, fails });
