// The server of one system, a process of its own: `server.js socket.io`.
import { Push } from './push.js';
import type { ServerQuestion, Usage } from './questions.js';
import type { End, Payload } from './system.js';
import { systemOf } from './systems/index.js';

process.on('disconnect', () => process.exit(1));

const [key = ''] = process.argv.slice(2);
const system = systemOf(key);
const confirmers = new WeakMap<End, { heard: number }>();
/** What a client has asked for: one at a time. */
let push: Push | undefined;

/** Every so many messages it is said how many have come, so that nobody sends more than can be taken. */
const CONFIRM_EVERY = 256;

function hear({ n, text }: Payload, from: End): void {
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
    default: {
      const seen = confirmers.get(from) ?? { heard: 0 };
      confirmers.set(from, seen);
      if (++seen.heard % CONFIRM_EVERY === 0) from.send({ n: seen.heard, text: 'confirmed' });
    }
  }
}

const server = await system.serve(hear);

process.on('message', (_question: ServerQuestion) => {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const { user, system: kernel } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ cpuMicros: user + kernel, memoryBytes: heapUsed + external } satisfies Usage);
});
process.send?.({ port: server.port });
