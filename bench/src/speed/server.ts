// The server of one system, a process of its own: `server.js socket.io`.
import { ArrivalLog } from './arrivals.js';
import { aboutProcess } from './own-process.js';
import { Push } from './push.js';
import type { Arrivals, Heard, Profiled, ServerQuestion, Usage } from './questions.js';
import type { End, Payload } from './system.js';
import { systemOf } from './systems/index.js';

process.on('disconnect', () => process.exit(1));

const [key = ''] = process.argv.slice(2);
const system = systemOf(key);

/** Every so many messages it is said how many have come, so that nobody sends more than can be taken. */
const confirmers = new WeakMap<End, { heard: number; confirmedAt: number; readonly every: number }>();
/** Of a slow system, which would say nothing within the time otherwise. */
const CONFIRM_MS = 20;
/** What a client has asked for: one at a time. */
let push: Push | undefined;
let log: ArrivalLog | undefined;

function hear({ n, text }: Payload, from: End): void {
  if (log) return log.hear(n);
  switch (text) {
    case 'down':
      push = new Push((payload) => from.send(payload), n);
      return push.run();
    case 'publish':
      push = new Push((payload) => server.publish(payload), n);
      return push.run();
    case 'stop':
      return push?.stop();
    case 'confirmed':
      return push?.confirmed(n);
    case 'up':
      return void confirmers.set(from, { heard: 0, confirmedAt: performance.now(), every: n });
    default:
      confirm(from);
  }
}

function confirm(from: End): void {
  const seen = confirmers.get(from);
  if (!seen) return;
  const now = performance.now();
  if (++seen.heard % seen.every !== 0 && now - seen.confirmedAt < CONFIRM_MS) return;
  seen.confirmedAt = now;
  from.send({ n: seen.heard, text: 'confirmed' });
}

const server = await system.serve(hear);

async function answer(question: ServerQuestion): Promise<Usage | Profiled | Heard | Arrivals> {
  switch (question.ask) {
    case 'listen':
      log = new ArrivalLog();
      return { heard: 0 };
    case 'heard':
      return { heard: log?.heard ?? 0 };
    case 'arrivals':
      return log?.arrivals() ?? { heardAt: [], doubled: 0 };
    default:
      return aboutProcess(question);
  }
}

process.on('message', (question: ServerQuestion) => {
  answer(question).then((said) => process.send?.(said));
});
process.send?.({ port: server.port });
