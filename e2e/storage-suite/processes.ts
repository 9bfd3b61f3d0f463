import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ground, Life } from './ground.js';
import { lifeAt } from './life.js';
import { lifeScript } from './scripts.js';

const PORT = `{
  post: (message) => process.send(message),
  hear: (listener) => process.on('message', listener),
}`;

/** Processes of Node with files in a folder of their own; they crash by SIGKILL. */
export class ProcessGround implements Ground {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-storage-'));
  readonly #program = join(this.folder, 'life.cjs');

  static async open(): Promise<ProcessGround> {
    const ground = new ProcessGround();
    writeFileSync(ground.#program, await lifeScript('node', PORT));
    return ground;
  }

  async begin(): Promise<Life> {
    const child = fork(this.#program, { serialization: 'advanced', execArgv: [] });
    const ended = once(child, 'exit');
    return lifeAt(
      {
        post: (message) => child.send(message as object),
        hear: (listener) => child.on('message', (message) => listener(message as never)),
      },
      async () => {
        child.kill('SIGKILL');
        await ended;
      },
    );
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
