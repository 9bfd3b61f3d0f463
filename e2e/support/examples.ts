import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const e2e = fileURLToPath(new URL('..', import.meta.url));

/** The block of a document that follows `<!-- example: name -->`, as it stands there. */
export function example(name: string, document = 'README.md'): string {
  const marked = readFileSync(join(root, document), 'utf8').split(`<!-- example: ${name} -->`)[1];
  const [, code] = /^\s*```\w+\n([\s\S]*?)```/.exec(marked ?? '') ?? [];
  if (code === undefined) throw new Error(`${document} has no example '${name}'`);
  return code;
}

/** A folder in which examples find the packages as they are built, like a project that depends on them. */
export class ExampleFolder {
  readonly path = mkdtempSync(join(e2e, '.example-'));

  /** Writes an example on another port than the one that stands there, which may be in use. */
  write(name: string, port: number, document?: string): string {
    return this.writeCode(name, example(name, document).replaceAll('3000', String(port)));
  }

  writeCode(name: string, code: string): string {
    const file = join(this.path, name);
    writeFileSync(file, code);
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** A program of `examples/`, started with the one command that its package.json has; the URL is the first that it says. */
export async function startExample(name: string, env: Record<string, string> = {}) {
  const folder = join(root, 'examples', name);
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [command, ...programArguments] = String(scripts.start).split(' ');
  if (command !== 'node') throw new Error(`examples/${name}: "start" must begin with node, not ${command}`);
  const child = spawn(process.execPath, programArguments, {
    cwd: folder,
    // Not as a test of its bundlers.
    env: { ...process.env, NODE_ENV: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number]>;
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let complained = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
    process.stderr.write(text);
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  const [url = ''] = /\S+:\/\/\S+/.exec(said) ?? [];
  return {
    ...{ child, url },
    /** All that it says, once it has ended by itself. */
    output: () => ended.then(() => said),
    complaints: () => ended.then(() => complained),
    /** As its user stops it; resolves with the exit code. */
    stop: () => {
      child.kill('SIGTERM');
      return ended.then(([code]) => code);
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
