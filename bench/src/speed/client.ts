// The clients of one system, a process of its own: `client.js socket.io 41234`.
import { connectMore, fanOut } from './audience.js';
import { downFrom, requests, upTo } from './load.js';
import { aboutProcess } from './own-process.js';
import type { ClientQuestion, Count, Profiled, Said, Usage } from './questions.js';
import { systemOf } from './systems/index.js';
import { hush, talk } from './talk.js';

process.on('disconnect', () => process.exit(1));

const [key = '', port] = process.argv.slice(2);
const target = { system: systemOf(key), port: Number(port) };

async function answer(question: ClientQuestion): Promise<Count | Usage | Profiled | Said> {
  switch (question.ask) {
    case 'request':
      return requests(target, question);
    case 'receipts':
      return requests(target, { ...question, inFlight: 1 }, (end, payload) => end.acknowledged(payload));
    case 'up':
      return upTo(target, question);
    case 'down':
      return downFrom(target, question.ms);
    case 'fan-out':
      return fanOut(target, question);
    case 'connect':
      return connectMore(target, question.connections);
    case 'talk':
      return talk(target, question.perSecond);
    case 'hush':
      return hush();
    default:
      return aboutProcess(question);
  }
}

process.on('message', (question: ClientQuestion) => {
  answer(question).then((said) => process.send?.(said));
});
process.send?.({});
