import type { AcceptedItem, Bounds, Read } from '@holdfast/server/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { event, type MakeStore, nothing, refusal, Talk } from './harness.js';

const RUNS = process.env['HOLDFAST_LONG'] === '1' ? 5_000 : 200;
const HOLDERS = ['A', 'B'] as const;
type Holder = (typeof HOLDERS)[number];

type Step =
  | {
      readonly do: 'send';
      readonly kinds: readonly ('event' | 'nothing' | 'refused')[];
      readonly again: number;
    }
  | { readonly do: 'append'; readonly writer: Holder; readonly size: number }
  | { readonly do: 'read'; readonly arrive: number }
  | { readonly do: 'cut'; readonly keyArrives: boolean }
  | { readonly do: 'claim'; readonly holder: Holder; readonly max: number }
  | { readonly do: 'start' | 'release' | 'done'; readonly holder: Holder; readonly which: number };

const holder = fc.constantFrom(...HOLDERS);
const small = fc.integer({ min: 0, max: 4 });
const kinds = fc.array(fc.constantFrom('event' as const, 'nothing' as const, 'refused' as const), {
  maxLength: 4,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), kinds, again: small }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), writer: holder, size: small }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), arrive: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), keyArrives: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('claim' as const), holder, max: small }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('start' as const, 'release' as const, 'done' as const),
      holder,
      which: small,
    }),
  },
);
/** Each call may be made twice, as if the first answer had been lost. */
const steps = fc.array(fc.tuple(step, fc.boolean()), { maxLength: 80 });

/** One client, two servers, and what must be true of the store between them. */
class Run {
  readonly talk: Talk;
  readonly #window: Bounds = [3, 12];
  /** The key that the client holds. */
  #key = '';
  /** Sent by the client, by number, and how far the client knows that it was accepted. */
  readonly #sent: AcceptedItem[] = [];
  #accepted = 0;
  /** The highest number that has arrived at the client, and what came under the numbers, holes as `-`. */
  #received = 0;
  readonly #arrived: string[] = [];
  /** What was appended, a refused one as `-`. */
  readonly #appended: string[] = [];
  readonly #replies = new Set<string>();
  #w = 0;
  #tokens = 0;
  readonly #held: Record<Holder, Map<number, { token: string; started: boolean }>> = {
    A: new Map(),
    B: new Map(),
  };
  readonly #done = new Set<number>();

  constructor(talk: Talk) {
    this.talk = talk;
  }

  async begin(): Promise<void> {
    await this.talk.attachFresh();
    this.#key = this.talk.key;
  }

  async make(step: Step, twice: boolean): Promise<void> {
    if (step.do === 'send') return this.#send(step.kinds, step.again, twice);
    if (step.do === 'append') return this.#append(step.writer, step.size, twice);
    if (step.do === 'cut') return this.#cut(step.keyArrives);
    if (step.do === 'claim') return this.#claim(step.holder, step.max, twice);
    if (step.do !== 'read') return this.#handle(step.do, step.holder, step.which, twice);
    await this.#read(step.arrive, twice);
  }

  async #twice<T>(twice: boolean, call: () => Promise<T>): Promise<T> {
    const answer = await call();
    if (twice) expect(await call()).toEqual(answer);
    return answer;
  }

  /** New ones behind some that were sent before: what is not known to be accepted comes again after a cut. */
  async #send(kinds: readonly string[], again: number, twice: boolean): Promise<void> {
    for (const kind of kinds) {
      const seq = this.#sent.length + 1;
      const refused = { seq, refusal: refusal(seq) };
      this.#sent.push(kind === 'event' ? event(seq) : kind === 'nothing' ? nothing(seq) : refused);
    }
    const items = this.#sent.slice(Math.max(0, this.#accepted - again));
    const accepted = await this.#twice(twice, () => this.talk.accept(items, this.#received));
    if (accepted.status !== 'ok' && accepted.status !== 'full') throw new Error(accepted.status);
    expect(accepted.status === 'ok').toBe(accepted.accepted === this.#sent.length);
    expect(accepted.accepted).toBeGreaterThanOrEqual(this.#accepted);
    for (const { seq, refusal: reply } of this.#sent.slice(this.#accepted, accepted.accepted)) {
      if (reply) this.#replies.add(String(reply.data));
      if (this.#sent[seq - 1]?.item === undefined) this.#done.add(seq);
    }
    this.#accepted = accepted.accepted;
    this.#key = this.talk.key;
  }

  async #append(writer: Holder, size: number, twice: boolean): Promise<void> {
    const text = `${++this.#w}${'x'.repeat(size)}`;
    const w = this.#w;
    const status = await this.#twice(twice, () => this.talk.append(text, { writer, w }));
    this.#appended.push(status === 'ok' ? text : '-');
  }

  /** Returns how much there was; so much of it arrives. */
  async #read(arrive: number, twice: boolean): Promise<number> {
    const call = { ...this.talk.own, after: this.#received, window: this.#window };
    const read = await this.#twice(twice, async (): Promise<Read> => this.talk.store.read(call));
    if (read.status !== 'ok') throw new Error(read.status);
    for (const item of read.items.slice(0, arrive)) {
      expect(item.seq).toBe(this.#received + 1);
      if ('data' in item) {
        this.#arrived.push(String(item.data));
        this.#received = item.seq;
      } else {
        for (; this.#received < item.last; this.#received++) this.#arrived.push('-');
      }
    }
    return read.items.length;
  }

  async #cut(keyArrives: boolean): Promise<void> {
    const { talk } = this;
    const old = talk.own;
    const positions = { received: this.#received, acked: this.#accepted };
    const attached = await talk.attach({ key: this.#key, ...positions });
    expect(attached).toMatchObject({ status: 'resumed', accepted: this.#accepted });
    expect(await talk.store.accept({ ...old, items: [], ack: 0 })).toEqual({ status: 'fenced' });
    if (keyArrives) this.#key = talk.key;
  }

  async #claim(holder: Holder, max: number, twice: boolean): Promise<void> {
    const held = this.#held[holder];
    const other = this.#held[holder === 'A' ? 'B' : 'A'];
    const token = `token-${++this.#tokens}`;
    const running = [...held.keys()];
    const { items } = await this.#twice(twice, () => this.talk.claim(holder, { running, max, token }));
    for (const { seq, redelivered } of items) {
      expect([redelivered, this.#done.has(seq), held.has(seq), other.has(seq)]).toEqual([
        false,
        false,
        false,
        false,
      ]);
      for (let before = 1; before < seq; before++) {
        const passed = this.#done.has(before) || held.has(before) || other.get(before)?.started;
        expect([before, passed]).toEqual([before, true]);
      }
      held.set(seq, { token, started: false });
    }
  }

  async #handle(
    what: 'start' | 'release' | 'done',
    holder: Holder,
    which: number,
    twice: boolean,
  ): Promise<void> {
    const held = [...this.#held[holder]];
    const [seq, claim] = held[which % held.length] ?? [];
    if (seq === undefined || !claim) return;
    if (what === 'start') {
      expect(await this.#twice(twice, () => this.talk.renew(seq, claim.token))).toBe('ok');
      claim.started = true;
      return;
    }
    if (what === 'release' && claim.started) return;
    const reply = { data: `RES ${seq}` };
    const call = () =>
      what === 'done' ? this.talk.done(seq, claim.token, reply) : this.talk.release(seq, claim.token);
    expect(await call()).toBe('ok');
    if (twice) expect(await call()).toBe('gone');
    this.#held[holder].delete(seq);
    if (what === 'release') return;
    this.#done.add(seq);
    this.#replies.add(reply.data);
  }

  /** Lets everything come to its end, and compares what arrived with what was sent. */
  async finish(): Promise<void> {
    const outstanding = () => this.#accepted < this.#sent.length || this.#done.size < this.#sent.length;
    let came = 0;
    for (let round = 0; outstanding() || came > 0 || round < 2; round++) {
      expect(round).toBeLessThan(1_000);
      for (const each of HOLDERS) {
        await this.#claim(each, 16, false);
        while (this.#held[each].size > 0) await this.#handle('done', each, 0, false);
      }
      // Its ack opens the window for what is read next.
      await this.#send([], 0, false);
      came = await this.#read(100, false);
    }
    const isReply = (text: string) => /^(RES|ERR)/.test(text);
    expect(this.#arrived.filter((text) => !isReply(text))).toEqual(this.#appended);
    const replies = this.#arrived.filter(isReply);
    expect(new Set(replies)).toEqual(this.#replies);
    expect(replies).toHaveLength(this.#replies.size);
    expect(await this.talk.handled()).toEqual([this.#sent.length]);
    expect(await this.talk.claim('C')).toEqual({ items: [], blocked: false });
    expect(await this.talk.store.end({ sid: 's1', why: 'ended' })).toEqual({ status: 'ok', undelivered: 0 });
  }
}

/** Random runs: nothing lost, nothing doubled, everything in order. */
export function suiteOfRandomRuns(make: MakeStore): void {
  test('whatever happens in whatever order, everything arrives and is handled once', async () => {
    const property = fc.asyncProperty(steps, async (all) => {
      const { store } = await make({ bounds: [4, 16], inbox: [5, 60] });
      const run = new Run(new Talk(store, 's1'));
      await run.begin();
      for (const [each, twice] of all) await run.make(each, twice);
      await run.finish();
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 60_000);
}
