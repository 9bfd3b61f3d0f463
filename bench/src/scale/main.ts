// What an operation costs beside more and more that has nothing to do with it, and for more and more that it is for.

import { parseArgs } from 'node:util';
import { optionsOrExit, whole } from '../command-line.js';
import { type Group, measure } from './measure.js';
import { COMINGS, FULL, HELD, MEMBERS, MESSAGES, OWN, ROOMS, ROUNDS, RULES } from './operations.js';
import { tableOf } from './table.js';

const USAGE = `npm run bench:scale -- [options]
  --rounds 9       how often everything is measured, 1 to 100; the least is shown
  --most 10000     the largest size, 10 to 10000`;

interface Options {
  readonly rounds: number;
  readonly most: number;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      most: { type: 'string', default: '10000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return { rounds: whole('rounds', values.rounds, 1, 100), most: whole('most', values.most, 10, 10_000) };
}

const SIZES = [10, 100, 1_000, 10_000];

/** So many sessions, each in a room of its own; as many rooms without members, and durable outboxes, come with the operations. */
const strangers: Group['fill'] = async (place, size) => {
  for (let n = 0; n < size; n++) {
    place.crowd.push(await place.peer(`people:other:${n}`));
    await place.server.to(`room:empty:${n}`).send('news', n);
  }
};
const members: Group['fill'] = async (place, size) => {
  for (let n = 0; n < size; n++) place.crowd.push(await place.peer(FULL, 'room:quiet'));
};
const nobody: Group['fill'] = async () => undefined;

const GROUPS: readonly Group[] = [
  { title: 'unrelated sessions and rooms', sizes: SIZES, operations: MESSAGES, fill: strangers },
  { title: 'sessions and rooms', sizes: SIZES, operations: [...COMINGS, ...ROUNDS], fill: strangers },
  { title: 'members of the room', sizes: SIZES, operations: MEMBERS, fill: members },
  { title: 'requests in flight', sizes: [1, 10, 100, 1_000], operations: OWN, fill: nobody },
  { title: 'handled while an earlier one runs', sizes: [10, 100, 1_000], operations: HELD, fill: nobody },
  { title: 'rooms of the session', sizes: [1, 10, 100], operations: ROOMS, fill: nobody },
  { title: 'rules for other rooms', sizes: SIZES, operations: RULES, fill: nobody },
];

const { rounds, most } = optionsOrExit(readOptions, USAGE);
for (const group of GROUPS) {
  const sizes = group.sizes.filter((size) => size <= most);
  const rows = await measure({ ...group, sizes }, rounds, (title) =>
    console.error(`${group.title}: ${title} ...`),
  );
  console.log(`${tableOf({ ...group, sizes }, rows)}\n`);
}
process.exit();
