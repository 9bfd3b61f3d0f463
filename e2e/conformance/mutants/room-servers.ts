import { type Item, type Mutation, T } from '../wire.js';
import { change, each, itemsOf, type Mutant, mutant, twice, without } from './rewrite.js';

const joins = (to: (request: object) => object): Mutation => ({
  said: change(T.REQ, (item) =>
    item[1] === '$join' ? [T.REQ, '$join', { ...(item[2] as object), ...to(item[2] as object) }] : item,
  ),
});

/** Whoever says SYNC of a room is a member of it. */
const joinsBySync: Mutation = {
  said: (frame) =>
    itemsOf(frame).flatMap(([type, rooms]) =>
      type === T.SYNC && (rooms as Item[]).length > 0
        ? [[0, 1, [T.REQ, '$join', { room: (rooms as Item[])[0]?.[0] }]]]
        : [frame],
    ),
};
const leavesNever = change(T.REQ, (item) => (item[1] === '$leave' ? [T.REQ, 'conformance:echo', 1] : item));
const hearsNoPresence = change(T.REQ, (item) =>
  item[1] === '$presence' ? [T.REQ, 'conformance:echo', 1] : item,
);
/** Publications without their trace. */
const traceless = change(T.PUB, ([type, n, offset, name, data, meta]) => {
  const { c: _trace, ...rest } = meta as { c?: string };
  return [type, n, offset, name, data, rest];
});
const furtherOn = change(T.RES, ([type, seq, reply]) => {
  const { offset } = (reply ?? {}) as { offset?: number };
  return [type, seq, offset === undefined ? reply : { ...(reply as object), offset: offset + 1 }];
});
/** Changes of members, each as several. */
const members = (change: (data: Item) => readonly Item[]) =>
  each((item) => {
    const [type, room, offset, name, data, meta] = item;
    if (type !== T.PUB || name !== '$member') return [item];
    return change(data as Item).map((changed) => [type, room, offset, name, changed, meta]);
  });
const wrongRoom = change(T.PUB, ([type, n, ...rest]) => [type, Number(n) + 1, ...rest]);

/** In no namespace, and so in all of them. */
const everywhere = each(([type, name, ...rest]) => {
  if (type === T.EVT && name === '/conformance#note') return [[type, 'conformance:note', ...rest]];
  if (type === T.REQ && name === '/conformance#echo') return [[type, 'conformance:echo', ...rest]];
  return [[type, name, ...rest]];
});
const letsAllIn = joins((request) => {
  const { room } = request as { room: string };
  return room === '/conformance-closed#' ? { room: 'conformance:open' } : {};
});

const letsNobodyIn = joins((request) => {
  const { room } = request as { room: string };
  return room === '/conformance#' ? { room: 'conformance:elsewhere' } : {};
});

/** Servers that are wrong about rooms. */
export const roomServers: readonly Mutant[] = [
  mutant('passes no trace on', { heard: traceless }, 'traceparent goes on'),
  mutant('writes publications twice', { heard: twice(T.PUB) }, 'reach the other', 'in order and once'),
  mutant(
    'loses publications',
    { heard: without(T.PUB) },
    'reach the other',
    'was missed',
    'from where it was joined',
    'is raised',
    'told the past',
  ),
  mutant('tells newcomers another offset than SYNC does', { heard: furtherOn }, 'told the past'),
  mutant('numbers rooms wrongly', { heard: wrongRoom }, 'reach the other', 'presence: members'),
  mutant('tells nobody what members say', { heard: members(([id, n]) => [[id, n]]) }, 'is told as JSON'),
  mutant('hears nothing of presence', { said: hearsNoPresence }, 'told as JSON', 'bytes of JSON are refused'),
  mutant(
    'tells of each cut',
    {
      heard: members(([id, n]) => [
        [id, 0],
        [id, n],
      ]),
    },
    'a short cut',
  ),
  mutant('says no SYNC', { heard: without(T.SYNC) }, '$join is answered'),
  mutant('hears no SYNC', { said: without(T.SYNC) }, 'after WELCOME 1 nothing', 'SYNC does not name'),
  mutant('takes a SYNC for a join', joinsBySync, 'SYNC makes nobody'),
  mutant(
    'hears no $leave',
    { said: leavesNever },
    '$leave ends it',
    'leaves take effect',
    'joined and left in one frame',
  ),
  mutant('hides holes in rooms', { heard: without(T.GAP) }, 'GAP trimmed', 'GAP new-epoch'),
  mutant(
    'ignores positions of joins',
    joins(() => ({ epoch: undefined, offset: undefined })),
    'joining anew',
    'GAP trimmed',
  ),
  mutant(
    'forgets who is replaced',
    joins(() => ({ replaced: [] })),
    'less what replaced',
  ),
  mutant(
    'asks nobody for a namespace',
    { said: everywhere },
    'who is not in a namespace',
    'is of its namespace',
  ),
  mutant('lets everybody into a namespace', letsAllIn, 'refuses whom it does not let in'),
  mutant('forgets who is in a namespace', letsNobodyIn, 'behind the $join of a', 'comes back with its'),
  mutant('leaves who leaves a namespace in its rooms', { said: leavesNever }, 'out of its rooms, too'),
];
