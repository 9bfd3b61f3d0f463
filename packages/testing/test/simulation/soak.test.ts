import { seededRandom, type Testbed } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { type Ending, endOf, openBed, type Person, person, silent } from './people.js';

// Everything at once, by the dice of a seed: what is promised must hold at the end of each run. A seed that fails
// is run alone with HOLDFAST_SEED=<seed>.

const long = process.env['HOLDFAST_LONG'] === '1';
const alone = process.env['HOLDFAST_SEED'];
const seeds =
  alone === undefined ? Array.from({ length: long ? 3_000 : 100 }, (_, n) => n + 1) : [Number(alone)];
const STEPS = 60;
const PEOPLE = 4;

interface Said {
  readonly by: number;
  readonly text: string;
  readonly step: number;
  readonly sent: Ending;
}

/** One of those in the room, what it wished when, and what it heard when. */
interface Actor extends Person {
  readonly index: number;
  /** Steps from which on it was in without a word of leaving; undefined while it does not want in or is not yet. */
  inSince: number | undefined;
  readonly heardAt: { readonly line: string; readonly step: number }[];
}

class Run {
  readonly bed: Testbed;
  readonly actors: Actor[];
  readonly said: Said[] = [];
  readonly sendings: Ending[] = [];
  readonly trace: string[] = [];
  readonly #random: ReturnType<typeof seededRandom>;
  step = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed * 7_919);
    this.bed = openBed({ seed, latencyMs: 1 + this.dice(40), logger: silent });
    this.actors = Array.from({ length: PEOPLE }, (_, index) => this.#actor(index));
  }

  dice(sides: number): number {
    return Math.floor(this.#random.fraction() * sides);
  }

  #actor(index: number): Actor {
    const made = person(this.bed, { reconnect: { baseMs: 200, capMs: 2_000 } });
    const actor: Actor = { ...made, index, inSince: undefined, heardAt: [] };
    const note = (line: string): void => void actor.heardAt.push({ line, step: this.step });
    made.room.on('message', (payload) => note(String(payload)));
    made.client.onGap(({ messages, reason }) => note(`gap ${messages} ${reason}`));
    void made.client.connect();
    return actor;
  }

  say(actor: Actor): void {
    const text = `${actor.index}:${this.said.length}`;
    const sent = endOf(actor.room.send('message', text));
    this.said.push({ by: actor.index, text, step: this.step, sent });
    this.sendings.push(sent);
  }

  join(actor: Actor): void {
    const { step } = this;
    if (actor.room.getState().status === 'joined') return;
    void actor.room.join().then(
      () => {
        if (actor.room.getState().status === 'joined') actor.inSince ??= this.step;
      },
      () => undefined,
    );
    this.trace.push(`${step} ${actor.index} join`);
  }

  leave(actor: Actor): void {
    actor.inSince = undefined;
    void actor.room.leave();
  }

  act(actor: Actor): string {
    const { bed } = this;
    const { client } = actor;
    const dice = this.dice(100);
    if (dice < 45) this.say(actor);
    else if (dice < 55) this.sendings.push(endOf(client.send('note', this.step)));
    else if (dice < 60) this.sendings.push(endOf(client.request('echo', this.step)));
    else if (dice < 70) bed.cut(client);
    else if (dice < 76) bed.freeze(client, (['both', 'up', 'down'] as const)[this.dice(3)]);
    else if (dice < 86) bed.heal(client);
    else if (dice < 90) bed.signal(client, 'online');
    else if (dice < 95) this.join(actor);
    else if (dice < 98) this.leave(actor);
    else bed.restart({ keepStore: false });
    return `${this.step} ${actor.index} ${dice}`;
  }
}

/** Runs one seed to its end, where all is healed and quiet. */
async function play(seed: number): Promise<Run> {
  const run = new Run(seed);
  const { bed, actors } = run;
  await bed.advance(500);
  for (const actor of actors) run.join(actor);
  await bed.advance(500);
  for (run.step = 1; run.step <= STEPS; run.step++) {
    const actor = actors[run.dice(PEOPLE)];
    if (actor) run.trace.push(run.act(actor));
    await bed.advance(run.dice(4) === 0 ? run.dice(4_000) : run.dice(60));
  }
  for (const { client } of actors) bed.heal(client);
  await bed.advance(120_000);
  return run;
}

/** What each member must have been told, and nothing else. */
function judge(run: Run): void {
  for (const { client, room, heardAt, index } of run.actors) {
    expect(client.getState().status).toBe('connected');
    expect(client.getOutbox()).toEqual({ messages: 0, bytes: 0, inflight: 0 });
    expect(['joined', 'left', 'idle']).toContain(room.getState().status);
    const lines = heardAt.map(({ line }) => line).filter((line) => !line.startsWith('gap'));
    expect(new Set(lines).size, `doubles at ${index}: ${lines}`).toBe(lines.length);
    expect(lines.filter((line) => line.startsWith(`${index}:`))).toEqual([]);
    for (let other = 0; other < PEOPLE; other++) {
      const numbers = lines
        .filter((line) => line.startsWith(`${other}:`))
        .map((line) => Number(line.slice(2)));
      expect(numbers, `order of ${other} at ${index}`).toEqual([...numbers].sort((a, b) => a - b));
    }
  }
  for (const { end, times } of run.sendings) {
    expect(times).toBe(1);
    expect(end).toMatch(
      /^ok$|^ERR_(SESSION_LOST unknown|TIMEOUT (unknown|unsent)|NOT_JOINED unsent|REJECTED rejected)$/,
    );
  }
  for (const { by, text, step, sent } of run.said.filter(({ sent: { end } }) => end === 'ok')) {
    for (const { index, inSince, heardAt } of run.actors) {
      // Who has been in since before it was sent: heard it, or was told of a gap since then.
      if (index === by || inSince === undefined || inSince >= step) continue;
      const knows = heardAt.some(
        ({ line, step: at }) => line === text || (line.startsWith('gap') && at >= step),
      );
      expect(knows, `${text}, acknowledged, at ${index} (in since ${inSince})`).toBe(true);
    }
    expect(sent.times).toBe(1);
  }
}

test(`${seeds.length} seeds: nobody doubles, loses, reorders or echoes a word, every send ends once`, async () => {
  const failures: string[] = [];
  for (const seed of seeds) {
    const run = await play(seed);
    try {
      judge(run);
    } catch (error) {
      failures.push(`seed ${seed}: ${(error as Error).message.split('\n')[0]}`);
      if (alone !== undefined) console.log(`${error}\n${run.trace.join('\n')}`);
    }
    await Promise.all(run.actors.map(({ client }) => client.close()));
    await run.bed.until(run.bed.server.close());
    // What was on the wire arrives where nobody is any more.
    await run.bed.advance(100);
    if (run.bed.clock.timers > 0) failures.push(`seed ${seed}: ${run.bed.clock.timers} timers left`);
  }
  expect(failures).toEqual([]);
});
