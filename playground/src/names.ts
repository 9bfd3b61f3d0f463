import { randomUUID } from 'node:crypto';
import { type Authenticate, RejectError, type User } from '@holdfast/server';
import { MAX_NAME_CHARS } from './limits.js';

export const LIMPET = 'Limpet bot';
/** With this token one is Limpet. It never leaves the process, unless several servers are told of one. */
export const limpetToken = process.env['LIMPET_TOKEN'] || `limpet ${randomUUID()}`;

/** Control characters, and those that turn the direction of what follows: they would spoil others' screens. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** What two names are compared by: as a reader would, not as a machine. */
const look = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

/** A demo: whoever says a name is believed. Only the bot's name is kept for the bot. */
export const authenticate: Authenticate<User> = (token) => {
  if (token === limpetToken) return { user: { id: LIMPET } };
  const name = (token ?? '').normalize('NFC').trim();
  if (name === '') throw new RejectError('a name is needed; it is the token');
  if ([...name].length > MAX_NAME_CHARS)
    throw new RejectError(`a name has at most ${MAX_NAME_CHARS} characters`);
  if (UNPRINTABLE.test(name)) throw new RejectError('a name has no control characters');
  if (look(name) === look(LIMPET)) throw new RejectError(`'${LIMPET}' is taken by the bot of this server`);
  return { user: { id: name } };
};
