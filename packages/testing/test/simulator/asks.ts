import { RejectError, type ServerSession } from '@holdfast/server';
import type { Coverage } from './coverage.js';
import type { Judge } from './judge.js';
import { type Asked, type AskWish, type Ledger, outcomeOf } from './ledger.js';
import type { SimClient } from './sim-client.js';
import type { SimProcess } from './sim-process.js';

interface Surroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly process: SimProcess;
}

/** As it stands in a request of a server's: which one it is, everybody can look up. */
interface Question {
  readonly index: number;
}

export interface AskOptions {
  readonly wish: AskWish;
  /** Of a handler that takes its time. */
  readonly ms: number;
  readonly timeoutMs: number;
  /** When who asks gives up by a signal; undefined: not at all. */
  readonly abortAfterMs?: number | undefined;
}

/** Most of what a client may be asked at once; it says so itself. */
const MOST = 100;
/** How long a caller may be left without an outcome after its time is over. */
const SLACK_MS = 2_000;

/** What each handler's answer can come to, beside what happens to every request. */
const ENDINGS: { readonly [wish in AskWish]: readonly string[] } = {
  plain: ['ok'],
  refuse: ['ERR_REJECTED rejected'],
  throw: ['ERR_HANDLER_FAILED rejected'],
  unheard: ['ERR_NO_HANDLER rejected'],
  slow: ['ok'],
  hang: ['ok'],
  'ask-back': ['ok'],
};
const ANY = ['ERR_TIMEOUT', 'ERR_SESSION_LOST', 'ERR_CLOSED', 'ERR_OUTBOX_FULL', 'given-up'];

/** The application of a server asks one client, and checks how that ends. */
export function ask(
  name: string,
  session: ServerSession,
  { wish, ms, timeoutMs, abortAfterMs }: AskOptions,
  { judge, coverage, ledger, process }: Surroundings,
): PromiseLike<void> {
  const index = ledger.asked.length;
  const { id: sid } = session;
  const at = process.now();
  const asked: Asked = { index, sid, wish, ms, process, runs: [], outcome: undefined };
  ledger.asked.push(asked);
  const what = `${name} asks ${sid} question ${index} (${wish})`;
  judge.note(() => what);
  const aborter = new AbortController();
  if (abortAfterMs !== undefined) {
    process.setTimer(
      () => aborter.abort(Object.assign(new Error(), { name: 'given-up' })),
      Math.min(abortAfterMs, timeoutMs),
    );
  }
  const settle = (outcome: string, answer?: unknown): void => {
    judge.note(() => `${what} ends: ${outcome}`);
    coverage.add(`asked: ${outcome}`);
    judge.demand(asked.outcome === undefined, 11, () => `${what} ended ${asked.outcome} and ${outcome}`);
    asked.outcome = outcome;
    const isFit = ENDINGS[wish].includes(outcome) || ANY.some((code) => outcome.startsWith(code));
    judge.demand(isFit, 11, () => `${what} ended ${outcome}`);
    if (outcome === 'ok') {
      judge.demand(answer === index, 11, () => `${what}: the answer was ${String(answer)}`);
      judge.demand(asked.runs[0]?.state === 'over', 11, () => `${what} answered before its handler`);
    }
    const isSilent = outcome.endsWith(' unsent');
    judge.demand(!isSilent || asked.runs.length === 0, 11, () => `${what} ended ${outcome}, and was run`);
    const isLate = process.now() > at + timeoutMs + SLACK_MS && !process.stoodStill(1, at);
    judge.demand(!isLate, 19, () => `${what} was left without an outcome until now`);
  };
  const question: Question = { index };
  const method = wish === 'unheard' ? 'unheard' : 'confirm';
  return session.request(method, question, { timeoutMs, signal: aborter.signal }).then(
    (answer) => settle('ok', answer),
    (error: unknown) => settle(outcomeOf(error)),
  );
}

export interface AnsweringApp {
  readonly name: string;
  readonly client: SimClient;
  /** Its sessions, the newest last. */
  readonly sids: ReadonlySet<string>;
  /** Says something to the server, until it has ended. */
  saying(kind: 'request', wish: 'plain', ms: number): PromiseLike<void>;
}

/** The application of a client answers what it is asked, and checks that it is. `hearing`: it is told something. */
export function answerQuestions(
  app: AnsweringApp,
  hearing: (what: () => string) => void,
  { judge, coverage, ledger, process }: Surroundings,
): void {
  const open = new Set<Asked>();
  app.client.handle('confirm', async (input, { signal }) => {
    const { index } = input as Question;
    const asked = ledger.asked[index];
    hearing(() => `is asked question ${index}`);
    if (!asked) return judge.violate(11, `${app.name} is asked ${index}, which nobody wants to know`);
    judge.demand(asked.runs.length === 0, 11, () => `${app.name} is asked ${index} twice`);
    judge.demand(
      !asked.outcome?.endsWith(' unsent'),
      11,
      () => `${app.name} is asked ${index}, which ended ${asked.outcome}`,
    );
    const sid = [...app.sids].at(-1);
    judge.demand(asked.sid === sid, 11, () => `${app.name} in ${sid} is asked what was for ${asked.sid}`);
    const run: Asked['runs'][number] = { process, state: 'running' };
    asked.runs.push(run);
    open.add(asked);
    judge.demand(open.size <= MOST, 12, () => `${app.name} is asked ${open.size} questions at once`);
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        coverage.add('a handler at a client hears that nobody waits for it');
        judge.note(() => `${app.name} may forget question ${index}`);
        open.delete(asked);
        run.state = 'aborted';
        resolve();
      });
    });
    await fulfil(asked, aborted).finally(() => {
      open.delete(asked);
      if (run.state === 'running') run.state = 'over';
    });
    return index;
  });

  async function fulfil({ wish, ms }: Asked, aborted: Promise<void>): Promise<void> {
    if (wish === 'refuse') throw new RejectError('not today');
    if (wish === 'throw') throw new Error('a handler that throws');
    if (wish === 'slow') return new Promise((resolve) => void process.setTimer(() => resolve(), ms));
    if (wish === 'hang') return aborted;
    if (wish === 'ask-back') return app.saying('request', 'plain', 0);
  }
}

/** When all is quiet: everybody has an outcome, and no handler goes on for nobody. */
export function checkAsked(judge: Judge, { asked }: Ledger): void {
  for (const { index, process, outcome, runs, wish } of asked) {
    if (!process.alive) continue;
    judge.demand(outcome !== undefined, 19, () => `question ${index} (${wish}) never ended`);
    const [run] = runs;
    const isLeft = run?.process.alive && run.state === 'running';
    judge.demand(!isLeft, 19, () => `question ${index} (${wish}) ended ${outcome}; its handler was not told`);
  }
}
