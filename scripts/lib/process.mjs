import { spawn, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Runs one of the workspace's own tools, by path, with this very Node. Ends the process if it fails. */
export function runOrExit(script, args, options = {}) {
  exitUnlessFine(spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit', ...options }));
}

export function exitUnlessFine({ error, status, signal }) {
  if (error) throw error;
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));
}

const running = new Set();

/** Whoever ends a run ends what it has started, too: nothing is left behind that holds a port or a core. */
export function endWithChildren() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => {
      for (const child of running) child.kill(signal);
      process.exit(code);
    });
  }
}

/**
 * Runs a program to its end. With `quiet`, what it says is kept and handed back instead of shown.
 * Returns whether it ended with 0; a program that does not end within `timeoutMs` is killed.
 */
export function run(
  file,
  args,
  { quiet = false, env = process.env, shell = false, timeoutMs = 15 * 60_000 } = {},
) {
  return new Promise((resolve) => {
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(file, args, {
      cwd: root,
      stdio,
      env,
      shell,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    running.add(child);
    let output = '';
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => {
      running.delete(child);
      resolve({ ok: false, output: `${output}${error.message}\n` });
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      if (signal) output += `\nended by ${signal}\n`;
      resolve({ ok: code === 0, output });
    });
  });
}

/** One of the workspace's own tools, by path: an npx or a shim would cost a second each. */
export const runTool = (script, args, options) => run(process.execPath, [script, ...args], options);
