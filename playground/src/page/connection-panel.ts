import type { ClientConnection, ConnectionState } from '@holdfast/client';
import { explain } from '@holdfast/client/explain';
import { byId } from './dom.js';
import { SceneView } from './scene.js';
import { stateWords } from './words.js';

const SAMPLE_MS = 2500;
const SAMPLES = 32;
/** There are seconds in what is explained. */
const EXPLAIN_MS = 1000;

/** The connection as a drawn thing, with its figures and the two switches. */
export class ConnectionPanel {
  readonly #client: ClientConnection;
  readonly #scene = new SceneView();
  readonly #panel = byId('link', HTMLElement);
  readonly #title = byId('state-title', HTMLElement);
  readonly #why = byId('state-why', HTMLElement);
  readonly #attempt = byId('attempt', HTMLElement);
  readonly #rtt = byId('rtt', HTMLElement);
  readonly #ringHand = byId('ring-hand', SVGCircleElement);
  readonly #ringText = byId('ring-text', HTMLElement);
  readonly #connect = byId('connect', HTMLButtonElement);
  readonly #disconnect = byId('disconnect', HTMLButtonElement);
  readonly #farLabel = byId('label-far', HTMLElement);
  readonly #samples: number[] = [];
  /** Which of several servers this connection leads to; undefined: there is one, or it has not said. */
  #node: string | undefined;
  #countdown: { readonly from: number; readonly to: number } | undefined;

  constructor(client: ClientConnection, askForName: () => void) {
    this.#client = client;
    client.onState((state) => this.#show(state));
    client.onOutbox(() => this.#showOutbox());
    // Each switch takes itself away when used; the focus goes to the other one, not back to the top of the page.
    this.#disconnect.addEventListener('click', () => {
      client.disconnect();
      this.#connect.focus();
    });
    this.#connect.addEventListener('click', () => {
      if (client.getState().status === 'needs-auth') return askForName();
      // What becomes of it is seen in the state.
      client.connect().catch(() => undefined);
      this.#disconnect.focus();
    });
    setInterval(() => this.#sample(), SAMPLE_MS);
    setInterval(() => this.#explain(), EXPLAIN_MS);
    this.#show(client.getState());
    this.#showOutbox();
  }

  pulse(direction: 'in' | 'out'): void {
    if (this.#client.getState().status === 'connected') this.#scene.pulse(direction);
  }

  /** Told with each connection, also with one that has taken the place of another unnoticed. */
  servedBy(node: string): void {
    this.#node = node;
    this.#show(this.#client.getState());
  }

  #show(state: ConnectionState): void {
    if (state.status !== 'connected') this.#node = undefined;
    const { scene, title } = stateWords(state, this.#node);
    this.#farLabel.textContent = this.#node ?? 'server';
    this.#panel.dataset['status'] = scene;
    this.#panel.dataset['health'] = state.status === 'connected' ? state.health : '';
    // Written only when it changes: each writing is read out.
    if (this.#title.textContent !== title) this.#title.textContent = title;
    this.#explain();
    this.#attempt.textContent = 'attempt' in state ? String(state.attempt) : '–';
    this.#showSwitches(state);
    this.#showRtt(state);
    const retryAt = state.status === 'reconnecting' ? state.retryAt : undefined;
    if (retryAt === undefined) this.#countdown = undefined;
    else if (this.#countdown?.to !== retryAt) {
      this.#countdown = { from: Date.now(), to: retryAt };
      this.#tick();
    }
  }

  #explain(): void {
    const why = explain(this.#client);
    if (this.#why.textContent !== why) this.#why.textContent = why;
  }

  #showSwitches({ status }: ConnectionState): void {
    const down = status === 'idle' || status === 'failed' || status === 'needs-auth' || status === 'closed';
    this.#disconnect.disabled = down;
    this.#connect.disabled = status === 'connected' || status === 'connecting' || status === 'closed';
    this.#connect.textContent = status === 'reconnecting' ? 'Try now' : 'Connect';
  }

  #showOutbox(): void {
    const { messages, inflight } = this.#client.getOutbox();
    byId('outbox-waiting', HTMLElement).textContent = String(messages);
    byId('outbox-inflight', HTMLElement).textContent = String(inflight);
    this.#scene.showWaiting(messages);
    this.#explain();
  }

  #showRtt(state: ConnectionState): void {
    const rttMs = state.status === 'connected' ? state.rttMs : undefined;
    this.#rtt.textContent = rttMs === undefined ? '–' : `${rttMs < 1 ? '<1' : Math.round(rttMs)} ms`;
  }

  #sample(): void {
    const state = this.#client.getState();
    if (state.status !== 'connected' || state.rttMs === undefined) return;
    this.#samples.push(state.rttMs);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#drawSpark();
  }

  /** The most recent on the right; the scale never so fine that a millisecond looks like a storm. */
  #drawSpark(): void {
    const top = Math.max(20, ...this.#samples) * 1.1;
    const step = 96 / (SAMPLES - 1);
    const start = 96 - (this.#samples.length - 1) * step;
    const points = this.#samples.map(
      (ms, index) => `${(start + index * step).toFixed(1)} ${(27 - (ms / top) * 26).toFixed(1)}`,
    );
    const line = `M${points.join('L')}`;
    const spark = byId('spark', SVGSVGElement);
    spark.querySelector('.spark-line')?.setAttribute('d', line);
    spark.querySelector('.spark-area')?.setAttribute('d', `${line}V28H${start.toFixed(1)}Z`);
  }

  #tick(): void {
    const countdown = this.#countdown;
    if (!countdown) return;
    const leftMs = Math.max(0, countdown.to - Date.now());
    const part = leftMs / Math.max(1, countdown.to - countdown.from);
    this.#ringHand.style.setProperty('stroke-dashoffset', String(1 - part));
    this.#ringText.textContent = `${(leftMs / 1000).toFixed(leftMs < 10_000 ? 1 : 0)} s`;
    if (leftMs > 0) requestAnimationFrame(() => this.#tick());
  }
}
