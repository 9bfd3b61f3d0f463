import type { CaseResult } from '../support/suite-in-page.js';
import type { Ground } from './ground.js';
import { lifeAt, type Port } from './life.js';
import { runStorageCases, sharedCases } from './suite.js';

/** Runs in a page; the programs are frames, or workers. */
export function run(kind: 'frames' | 'workers'): Promise<CaseResult[]> {
  const ground: Ground = {
    async begin() {
      const { port, end } = kind === 'frames' ? await frame() : worker();
      return lifeAt(port, async (open) => {
        const before = await locks();
        end();
        // The browser needs a moment to let go of what it had.
        while ((await locks()) > before - open) await new Promise((resolve) => setTimeout(resolve, 5));
      });
    },
  };
  return runStorageCases(sharedCases, ground, `${kind}-${Math.random()}-`);
}

const locks = async (): Promise<number> => (await navigator.locks.query()).held?.length ?? 0;

interface Program {
  readonly port: Port;
  end(): void;
}

function worker(): Program {
  const program = new Worker('/life.js');
  const port: Port = {
    post: (message) => program.postMessage(message),
    hear: (listener) => program.addEventListener('message', ({ data }) => listener(data as never)),
  };
  return { port, end: () => program.terminate() };
}

async function frame(): Promise<Program> {
  const element = document.createElement('iframe');
  const loaded = new Promise((resolve) => element.addEventListener('load', resolve, { once: true }));
  element.src = '/life.html';
  document.body.append(element);
  await loaded;
  const { port1: port, port2 } = new MessageChannel();
  element.contentWindow?.postMessage('port', '*', [port2]);
  port.start();
  return {
    port: {
      post: (message) => port.postMessage(message),
      hear: (listener) => port.addEventListener('message', ({ data }) => listener(data as never)),
    },
    end: () => element.remove(),
  };
}
