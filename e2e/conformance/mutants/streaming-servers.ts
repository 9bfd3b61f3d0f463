import { type Item, T } from '../wire.js';
import { change, each, type Mutant, mutant, twice, without } from './rewrite.js';

const isOdd = (item: Item): boolean => Number(item[2]) % 2 === 1;
/** A stream of this request may have so many items at first. */
const asksFor = (q: number | undefined) =>
  change(T.REQ, ([type, method, data, meta]) => [type, method, data, ...(meta ? [{ q }] : [])]);

/** Servers that are wrong about streams. */
export const streamingServers: readonly Mutant[] = [
  mutant(
    'yields nothing',
    { heard: without(T.ITEM) },
    'a stream: its items',
    'behind the items',
    'when it has begun',
    'over a cut: what was not acknowledged',
  ),
  mutant(
    'loses items',
    { heard: each((item) => (item[0] === T.ITEM && isOdd(item) ? [] : [item])) },
    'a stream: its items',
    'ITEM and END pass',
    'does not begin it again',
  ),
  mutant(
    'writes items twice',
    { heard: twice(T.ITEM) },
    'a stream: its items',
    'over a cut: what was not acknowledged',
    'does not begin it again',
  ),
  mutant(
    'says no END',
    { heard: without(T.END) },
    'a stream: its items',
    'items: END alone',
    'END ERR_STREAM',
  ),
  mutant(
    'answers a stream at its end, too',
    { heard: each((item) => (item[0] === T.END ? [item, [T.RES, item[1], null]] : [item])) },
    'in place of RES',
  ),
  mutant('says END twice', { heard: twice(T.END) }, 'for what has ended, for what'),
  mutant(
    'gives no reason for an END',
    { heard: change(T.END, (item) => item.slice(0, 3)) },
    'the reason and what it adds',
  ),
  mutant('heeds no q', { said: asksFor(1_000) }, 'as many items as q', 'CANCEL ends a stream'),
  mutant('takes each request for an ordinary one', { said: asksFor(undefined) }, 'asked for as a stream'),
  mutant('refuses nothing', { heard: without(T.ERR) }, 'nothing of a stream', 'too many streams'),
  mutant(
    'hears no STREAM CREDIT',
    { said: without(T.STREAM_CREDIT) },
    'as many items as q',
    'over a cut: what was not acknowledged',
    'END ERR_STREAM',
  ),
  mutant(
    'hears no CANCEL',
    { said: change(T.CANCEL, () => [T.RES, 9_999, 1]) },
    'CANCEL ends a stream',
    'too many streams',
  ),
  mutant('hears no BYE', { said: without(T.BYE) }, 'with its session a stream'),
  mutant('says no DONE before the END', { heard: without(T.DONE) }, 'when it has begun'),
  mutant('answers nothing while a stream is open', { heard: without(T.RES) }, 'hold up nothing'),
  mutant(
    'takes items from its handler without end',
    { heard: each((item) => (item[0] === T.ITEM ? Array<Item>(30).fill(item) : [item])) },
    'not get items without end',
  ),
];
