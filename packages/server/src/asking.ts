import {
  type Clock,
  Deferred,
  type DeliveryError,
  holdfastError,
  type Item,
  refusal,
  Type,
  type WireData,
} from '@holdfast/protocol';
import { unawaited } from './answer.js';
import type {
  Answer,
  AppendCall,
  Appended,
  ClientAnswer,
  Life,
  WithdrawCall,
  Withdrawn,
} from './ports/store.js';

/** What this server asks a client, encoded. */
export interface Question {
  readonly id: string;
  readonly method: string;
  readonly data: WireData;
  /** From now on. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What asking needs of its session. */
export interface AskingSurroundings {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** A number for a call to the store, above all before. */
  nextCall(): number;
  encode(item: Item): WireData;
  /** Which session it is, as far as that is known here. */
  life(): Life | undefined;
  /** In turn with all that this server appends for the session. */
  append(
    call: Pick<AppendCall, 'w' | 'data' | 'asks' | 'cancels' | 'life'>,
    next: (appended: Appended) => void,
  ): Answer<void>;
  /** In turn, too: after the call that it takes back. */
  withdraw(call: Pick<WithdrawCall, 'w' | 'life'>, next: (withdrawn: Withdrawn) => void): Answer<void>;
  /** Handlers of this session may be waiting for the answer: others may run until the returned function is called. */
  lend(): () => void;
  failed(error: unknown): void;
}

interface Ask {
  readonly question: Question;
  /** Of the call that appended it. */
  readonly w: number;
  /** Of the session when it was asked. Another one knows nothing of what this one may have had written. */
  readonly life: Life | undefined;
  /** Its number, once it has one that is known here. */
  seq: number | undefined;
  settle(outcome: { readonly result: unknown } | { readonly error: unknown }): void;
}

/** How long a caller whose time is over waits for the store to say whether the request was ever written. */
const GRACE_MS = 1_000;

/**
 * What this server asks one client, from `request()` to the one outcome: an answer, a refusal, a deadline, an abort, the
 * end of the session. Answers settle when they come: they wait for nothing that the client has said before, or a handler
 * that asks its own client would wait for ever.
 */
export class Asking {
  readonly #around: AskingSurroundings;
  /** Without an outcome, by the call that appended them. */
  readonly #open = new Map<number, Ask>();
  /** Those of them whose number is known. */
  readonly #bySeq = new Map<number, Ask>();

  constructor(around: AskingSurroundings) {
    this.#around = around;
  }

  /** Settles once, with the answer as it came. */
  ask(question: Question): Promise<unknown> {
    const { id, method, data, signal } = question;
    const answer = new Deferred<unknown>(id);
    if (signal?.aborted) {
      answer.reject(signal.reason as Error);
      return answer.promise;
    }
    const w = this.#around.nextCall();
    const life = this.#around.life();
    const stopWaiting = this.#limit(question, w);
    const ask: Ask = {
      question,
      w,
      life,
      seq: undefined,
      settle: (outcome) => {
        if (!this.#open.delete(w)) return;
        if (ask.seq !== undefined) this.#bySeq.delete(ask.seq);
        stopWaiting();
        if ('error' in outcome) answer.reject(outcome.error as Error);
        else answer.resolve(outcome.result);
      },
    };
    this.#open.set(w, ask);
    let isLater = false;
    const appended = this.#around.append({ w, data, life, asks: true }, ({ status }) => {
      if (status === 'full') {
        const text = `'${method}' not asked: as many requests or messages wait for this client as it takes`;
        ask.settle(failure('ERR_OUTBOX_FULL', text, 'unsent', ask));
      } else if (status === 'lost') {
        // If it was asked again, an answer that was lost may have said that the request was appended.
        ask.settle(isLater ? sessionLost(ask) : neverWritten(ask));
      }
    });
    isLater = true;
    unawaited(appended, this.#around);
    return answer.promise;
  }

  /** What a call of ours has appended has got a number. */
  numbered(seq: number, w: number): void {
    const ask = this.#open.get(w);
    if (!ask) return;
    ask.seq = seq;
    this.#bySeq.set(seq, ask);
  }

  /** The client answers. False if nobody here waits for that: it was answered, given up, or asked by another server. */
  answered(item: ClientAnswer): boolean {
    const ask = this.#bySeq.get(item[1]);
    if (ask) settleWith(ask, item);
    return ask !== undefined;
  }

  /** The client has answered on a connection of another server. */
  answeredElsewhere(w: number, item: ClientAnswer): void {
    const ask = this.#open.get(w);
    if (ask) settleWith(ask, item);
  }

  /** The session is over. `unwritten`: calls whose requests never got a number in this life of it; of the others nobody knows. */
  end(unwritten: ReadonlySet<number>): void {
    for (const ask of this.#open.values()) {
      const isUnsent = unwritten.has(ask.w) && ask.life !== undefined && ask.seq === undefined;
      ask.settle(isUnsent ? neverWritten(ask) : sessionLost(ask));
    }
  }

  /** Ends it by its deadline or its signal. Returns what is to be done when it has ended otherwise. */
  #limit({ timeoutMs, signal }: Question, w: number): () => void {
    const timers = new Set<() => void>();
    const after = (ms: number, run: () => void): void => {
      if (ms < Infinity) timers.add(this.#around.clock.setTimer(run, ms));
    };
    const abort = (): void => {
      const ask = this.#open.get(w);
      ask?.settle({ error: signal?.reason });
      if (ask) this.#takeBack(ask, () => undefined);
    };
    after(timeoutMs, () => {
      const ask = this.#open.get(w);
      if (!ask) return;
      const late = (delivery: 'unsent' | 'unknown'): void =>
        ask.settle(failure('ERR_TIMEOUT', `no answer to '${ask.question.method}'`, delivery, ask));
      after(GRACE_MS, () => late('unknown'));
      this.#takeBack(ask, late);
    });
    signal?.addEventListener('abort', abort, { once: true });
    const takeSlotBack = this.#around.lend();
    return () => {
      takeSlotBack();
      signal?.removeEventListener('abort', abort);
      for (const cancel of timers) cancel();
    };
  }

  /** Nobody waits for it any more: it is taken out of what waits, or cancelled if it has a number. */
  #takeBack({ w, life, seq }: Ask, told: (delivery: 'unsent' | 'unknown') => void): void {
    if (seq !== undefined) {
      this.#cancel(seq, life);
      return told('unknown');
    }
    const withdrawn = this.#around.withdraw({ w, life }, (answer) => {
      if (answer.status === 'numbered') this.#cancel(answer.seq, life);
      told(answer.status === 'ok' && life !== undefined ? 'unsent' : 'unknown');
    });
    unawaited(withdrawn, this.#around);
  }

  #cancel(seq: number, life: Life | undefined): void {
    const { nextCall, encode, append } = this.#around;
    const call = { w: nextCall(), data: encode([Type.CANCEL, seq]), life, cancels: seq };
    const appended = append(call, () => undefined);
    unawaited(appended, this.#around);
  }
}

function settleWith(ask: Ask, item: ClientAnswer): void {
  const { id, method: event } = ask.question;
  if (item[0] === Type.RES) ask.settle({ result: item[2] });
  else ask.settle({ error: refusal(item, { id, event }) });
}

function failure<Code extends 'ERR_OUTBOX_FULL' | 'ERR_TIMEOUT' | 'ERR_CLOSED' | 'ERR_SESSION_LOST'>(
  code: Code,
  text: string,
  delivery: Extract<DeliveryError, { code: Code }>['delivery'],
  { question }: Ask,
): { readonly error: DeliveryError } {
  const details = { delivery, messageId: question.id };
  return { error: holdfastError(code, text, details as never) as DeliveryError };
}

const neverWritten = (ask: Ask) =>
  failure('ERR_CLOSED', 'the session ended before this was written', 'unsent', ask);
const sessionLost = (ask: Ask) =>
  failure('ERR_SESSION_LOST', 'the session ended before this was answered', 'unknown', ask);
