// One side of a conversation, a process of its own: `side.js server socket.io 0`, `side.js client socket.io 41234`.
import { contestantOf } from './contestants/index.js';
import type { Account, Question, Ready, Standing } from './questions.js';
import { Talker } from './talker.js';
import { Tally } from './tally.js';

// Whoever started us is gone, and with it the reason to be here.
process.on('disconnect', () => process.exit(1));

const answer = (value: Ready | Standing | Account): void => void process.send?.(value);

const [role, key = '', port] = process.argv.slice(2);
const contestant = contestantOf(key);
const tally = new Tally();
const told = new Set<number>();
const notes = {
  heard: (number: number) => tally.hear(number),
  told: (number: number) => void told.add(number),
};

const server = role === 'server' ? await contestant.serve(notes) : undefined;
const side = server ?? (await contestant.dial(Number(port), notes));
const talker = new Talker((number) => side.send(number));

function act(question: Question): Standing | Account {
  if (question.ask === 'talk') talker.start(question.perSecond);
  if (question.ask === 'hush') talker.stop();
  if (question.ask === 'account') {
    const { doubled, outOfOrder } = tally;
    return { missing: tally.missing(question.sentByOther), doubled, outOfOrder, told: [...told] };
  }
  return { sent: talker.sent, heard: tally.heard, pending: side.pending() };
}

process.on('message', (question: Question) => answer(act(question)));
answer({ port: server?.port ?? 0 });
