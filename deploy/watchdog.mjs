// Runs a server, and ends it when it does not answer any more: stopped, or in a handler that never ends. Whoever supervises
// this process (restart: unless-stopped, systemd, …) starts both anew. Until then a proxy that asks nobody's health, as nginx,
// gives such a server its share of the newcomers, and each of them hangs.
//
//   node watchdog.mjs http://127.0.0.1:3000/health server.js [arguments]
//
// Not needed in Kubernetes, which does the same with a liveness probe.

import { spawn } from 'node:child_process';

/** Without any answer for so long, it is ended; ms. More than the longest that a handler of yours may keep the process busy. */
const PATIENCE_MS = Number(process.env.WATCHDOG_MS ?? 5_000);
const EVERY_MS = 500;

const [url, ...program] = process.argv.slice(2);
if (!URL.canParse(url ?? '') || program.length === 0 || !(PATIENCE_MS >= 1_000)) {
  console.error(
    'Usage: [WATCHDOG_MS=<1000 or more>] node watchdog.mjs <url of /health> <program> [arguments]',
  );
  process.exit(2);
}

const child = spawn(process.execPath, program, { stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  console.error(`watchdog: ${error.message}`);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));

// While it starts, it is for its supervisor to say how long that may take.
let answeredAt = Infinity;
let askedAt = Date.now();
setInterval(async () => {
  const now = Date.now();
  // Asleep itself, it knows nothing.
  if (now - askedAt > PATIENCE_MS && answeredAt < now) answeredAt = now;
  askedAt = now;
  if (now - answeredAt > PATIENCE_MS) {
    console.error(`watchdog: no answer for ${PATIENCE_MS} ms, the server is ended`);
    child.kill('SIGKILL');
    return;
  }
  try {
    // Any answer: a server that drains says 503, and lives.
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    await response.arrayBuffer();
    answeredAt = Date.now();
  } catch {
    // It listens no more, or not yet, or hangs.
  }
}, EVERY_MS);
