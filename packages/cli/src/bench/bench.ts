import { type HoldfastClient, isHoldfastError } from '@holdfast/client';
import { makeClient, within } from '../dial.js';
import type { Output } from '../output.js';
import type { BenchSettings } from './bench-options.js';
import { Tally, table } from './tally.js';

const PROGRESS_MS = 1_000;
/** Sends are made in steps of this; at higher rates several in one. */
const STEP_MS = 10;
const LOOK_MS = 20;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Puts the load on and prints the figures; the exit code. */
export async function bench(settings: BenchSettings, output: Output): Promise<number> {
  const { url, token } = settings;
  const tally = new Tally();
  const warn = (text: string): void => output.note(`! ${text}`, { type: 'warning', text });
  const clients = Array.from({ length: settings.clients }, () => makeClient({ url, token, warn }));
  for (const client of clients) follow(client, tally);
  try {
    await allConnected(clients, settings['timeout-ms']);
  } catch (error) {
    output.error(error, 'connect');
    await closed(clients);
    return 1;
  }

  const startedAt = performance.now();
  const progress = setInterval(() => {
    const counts = tally.counts();
    const seconds = secondsSince(startedAt);
    const { sent, acknowledged, failed, reconnects } = counts;
    const text = `${seconds} s: sent ${sent}, acknowledged ${acknowledged}, failed ${failed}, reconnects ${reconnects}`;
    output.note(text, { type: 'progress', seconds, ...counts });
  }, PROGRESS_MS);
  await load(clients, settings, tally);
  const seconds = secondsSince(startedAt);
  const until = performance.now() + settings['timeout-ms'];
  while (tally.isOpen && performance.now() < until) await sleep(LOOK_MS);
  clearInterval(progress);

  // What still waits in an outbox ends with its client, as `unsent`: that is no loss.
  await closed(clients);
  const figures = tally.figures(clients.length, seconds);
  if (settings.json) output.result('', { type: 'figures', ...figures });
  else for (const row of table(figures).split('\n')) output.result(row, {});
  return figures.lost + figures.doubled + figures.failed > 0 ? 1 : 0;
}

function follow(client: HoldfastClient, tally: Tally): void {
  client.on('echo', (payload) => tally.echoed(idOf(payload), performance.now()));
  let lives = 0;
  client.onState(({ status }, previous) => {
    if (status !== 'connected' || previous.status === 'connected') return;
    lives += 1;
    if (lives > 1) tally.reconnected();
  });
}

const idOf = (payload: unknown): string => {
  const id = typeof payload === 'object' && payload !== null && 'id' in payload ? payload.id : undefined;
  return typeof id === 'string' ? id : '';
};

/** Rejects with why the first that could not connect could not. */
async function allConnected(clients: readonly HoldfastClient[], timeoutMs: number): Promise<void> {
  await Promise.all(
    clients.map((client) =>
      within(timeoutMs, client.connect()).catch((error: unknown) => {
        const state = client.getState();
        throw 'lastError' in state ? state.lastError : error;
      }),
    ),
  );
}

/** Sends at the rate that is asked for, spread over the clients, until the time is over or somebody presses Ctrl-C. */
async function load(
  clients: readonly HoldfastClient[],
  settings: BenchSettings,
  tally: Tally,
): Promise<void> {
  let phase: 'sending' | 'over' = 'sending';
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (phase === 'over') process.exit(130);
      phase = 'over';
    });
  }
  const filling = 'x'.repeat(settings.size);
  const startedAt = performance.now();
  // The first goes out at once, so there is one, however low the rate and short the time.
  const inAll = Math.ceil((settings.clients * settings.rate * settings['duration-ms']) / 1_000);
  let sent = 0;
  while (phase === 'sending' && sent < inAll) {
    const elapsedMs = performance.now() - startedAt;
    const due = Math.min(inAll, Math.ceil((settings.clients * settings.rate * elapsedMs) / 1_000));
    for (; sent < due; sent++) {
      const client = clients[sent % clients.length];
      if (client) sendOne(client, `${sent}`, filling, tally);
    }
    await sleep(STEP_MS);
  }
  phase = 'over';
}

function sendOne(client: HoldfastClient, id: string, filling: string, tally: Tally): void {
  tally.sent(id, performance.now());
  client.send('echo', { id, filling }).then(
    () => tally.acknowledged(id),
    (error: unknown) => {
      const known = isHoldfastError(error) ? error : undefined;
      const delivery = known && 'delivery' in known ? known.delivery : undefined;
      tally.failed(id, known?.code ?? 'ERR_UNKNOWN', delivery);
    },
  );
}

const closed = (clients: readonly HoldfastClient[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client.close()));

const secondsSince = (startedAt: number): number => Math.round((performance.now() - startedAt) / 100) / 10;
