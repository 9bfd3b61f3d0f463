// The clients of one system, a process of its own: `client.js socket.io 41234`.
import { connectMore, downFrom, fanOut, requests, upTo } from './load.js';
import type { ClientQuestion, Count } from './questions.js';
import { systemOf } from './systems/index.js';

process.on('disconnect', () => process.exit(1));

const [key = '', port] = process.argv.slice(2);
const target = { system: systemOf(key), port: Number(port) };

function answer(question: ClientQuestion): Promise<Count> {
  switch (question.ask) {
    case 'request':
      return requests(target, question.inFlight, question.ms);
    case 'up':
      return upTo(target, question.ms);
    case 'down':
      return downFrom(target, question.ms);
    case 'fan-out':
      return fanOut(target, question);
    case 'connect':
      return connectMore(target, question.connections);
  }
}

process.on('message', (question: ClientQuestion) => {
  answer(question).then((count) => process.send?.(count));
});
process.send?.({});
