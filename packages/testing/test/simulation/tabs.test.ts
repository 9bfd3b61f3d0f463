import { seededRandom } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import type { BrowserTab } from './tab-browser.js';
import { type TabsBed, tabsBed } from './tabs-bed.js';

// Several tabs of one browser on one socket, in virtual time. Locks and channels are those of tab-browser.ts.

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** A tab whose client counts aloud, and writes down what it hears. */
class Speaker {
  readonly tab: BrowserTab;
  readonly heard: unknown[] = [];
  readonly troubles: string[] = [];
  said = 0;
  told = 0;

  constructor(bed: TabsBed, options: Parameters<TabsBed['browser']['open']>[0] = {}) {
    this.tab = bed.browser.open(options);
    const { client } = this.tab;
    client.on('tick', (n) => void this.heard.push(n));
    client.onSessionLost(() => void this.troubles.push('session lost'));
    client.onGap(() => void this.troubles.push('gap'));
    client.onUndelivered((_message, { code }) => void this.troubles.push(code));
    void client.connect().catch((error) => this.troubles.push(String(error)));
  }

  say(): void {
    if (this.tab.state === 'dead') return;
    this.tab.gate(() => this.tab.client.send('note', ++this.said).catch(() => undefined));
  }

  tell({ sessions }: TabsBed): void {
    const [session] = sessions.get(this.tab.name) ?? [];
    session?.send('tick', ++this.told).catch(() => undefined);
  }

  get status(): string {
    return this.tab.client.getState().status;
  }

  /** Both directions, as far as it lives. */
  judge({ heard, sessions }: TabsBed): void {
    const { name, state } = this.tab;
    const notes = heard.get(name) ?? [];
    expect(this.heard, `${name} hears`).toEqual(upTo(this.heard.length));
    expect(notes, `of ${name} is heard`).toEqual(upTo(notes.length));
    if (state === 'dead') return;
    expect([this.heard.length, notes.length, this.troubles], name).toEqual([this.told, this.said, []]);
    expect(sessions.get(name), `sessions of ${name}`).toHaveLength(1);
  }
}

async function three(seed = 1): Promise<{ bed: TabsBed; speakers: [Speaker, Speaker, Speaker] }> {
  const bed = tabsBed(seed);
  const speakers: [Speaker, Speaker, Speaker] = [new Speaker(bed), new Speaker(bed), new Speaker(bed)];
  await bed.clock.advance(1_000);
  expect(speakers.map(({ status }) => status)).toEqual(['connected', 'connected', 'connected']);
  return { bed, speakers };
}

const talk = async (bed: TabsBed, speakers: readonly Speaker[], rounds: number): Promise<void> => {
  for (let round = 0; round < rounds; round++) {
    for (const speaker of speakers) {
      speaker.say();
      speaker.tell(bed);
    }
    await bed.clock.advance(20);
  }
};

describe('tabs on one socket', () => {
  test('three tabs have one socket, and a session each', async () => {
    const { bed, speakers } = await three();
    await talk(bed, speakers, 50);
    await bed.clock.advance(1_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect([bed.browser.sockets, bed.server.stats().connections, bed.server.stats().sessions]).toEqual([
      1, 3, 3,
    ]);
  });

  test('the socket is cut: every tab resumes, on one socket again', async () => {
    const { bed, speakers } = await three();
    for (let cut = 0; cut < 5; cut++) {
      await talk(bed, speakers, 5);
      bed.browser.leader?.link.cut();
      await talk(bed, speakers, 5);
    }
    await bed.clock.advance(10_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect(bed.browser.sockets).toBe(1);
  });

  test('the leading tab dies: another one leads, and nothing is lost', async () => {
    const { bed, speakers } = await three();
    const { leader } = bed.browser;
    await talk(bed, speakers, 10);
    leader?.die();
    await talk(bed, speakers, 100);
    await bed.clock.advance(5_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect(bed.browser.leader).not.toBe(leader);
    expect(bed.browser.sockets).toBe(1);
    expect(speakers.map(({ status }) => status).filter((one) => one === 'connected')).toHaveLength(3);
  });

  test('the leading tab closes its client: it goes on carrying the others', async () => {
    const { bed, speakers } = await three();
    const leading = speakers.find(({ tab }) => tab === bed.browser.leader) as Speaker;
    const others = speakers.filter((one) => one !== leading);
    const closed = leading.tab.client.close();
    await talk(bed, others, 20);
    await closed;
    await bed.clock.advance(1_000);
    for (const speaker of others) speaker.judge(bed);
    expect([bed.browser.leader, bed.browser.sockets]).toEqual([leading.tab, 1]);
    expect(leading.tab.link.dials).toBe(1);
    for (const { tab } of others) void tab.client.close();
    await bed.clock.advance(10_000);
    expect([bed.browser.sockets, bed.browser.holders.size, bed.browser.leader]).toEqual([0, 0, undefined]);
    expect(bed.server.stats().sessions).toBe(0);
  });

  test('the leading tab is about to be frozen: it lets go before, and comes back as one of the others', async () => {
    const { bed, speakers } = await three();
    const leading = speakers.find(({ tab }) => tab === bed.browser.leader) as Speaker;
    await talk(bed, speakers, 10);
    leading.tab.signal('asleep');
    leading.tab.freeze();
    await talk(bed, speakers, 100);
    expect(bed.browser.leader).not.toBe(leading.tab);
    leading.tab.thaw();
    leading.tab.signal('awake');
    await bed.clock.advance(5_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect([bed.browser.sockets, leading.status]).toEqual([1, 'connected']);
  });

  test('a leading tab that stands still without a word is robbed of the socket, and comes back', async () => {
    const { bed, speakers } = await three();
    const leading = speakers.find(({ tab }) => tab === bed.browser.leader) as Speaker;
    leading.tab.freeze();
    await talk(bed, speakers, 900);
    const others = speakers.filter((one) => one !== leading);
    expect(bed.browser.leader).not.toBe(leading.tab);
    expect(others.map(({ status }) => status)).toEqual(['connected', 'connected']);
    leading.tab.thaw();
    await bed.clock.advance(40_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect([bed.browser.sockets, leading.status]).toEqual([1, 'connected']);
  });

  test.each([0, 1, 2, 3, 5, 20, 40, 60, 90])(
    'two that wait in vain, %d ms apart: one takes over, once',
    async (ms) => {
      const { bed, speakers } = await three();
      const leading = speakers.find(({ tab }) => tab === bed.browser.leader) as Speaker;
      const others = speakers.filter((one) => one !== leading);
      const dials = () => others.reduce((sum, { tab }) => sum + tab.link.dials, 0);
      const before = dials();
      bed.browser.latencyMs = 30;
      bed.browser.fraction = (name) => (name === others[0]?.tab.name ? 0.5 : 0.5 + ms / 1_000);
      leading.tab.freeze();
      await talk(bed, speakers, 900);
      expect(dials() - before).toBe(1);
    },
  );

  test('a tab that dies is missed: its connection ends without the others', async () => {
    const { bed, speakers } = await three();
    const following = speakers.find(({ tab }) => tab !== bed.browser.leader) as Speaker;
    const others = speakers.filter((one) => one !== following);
    following.tab.die();
    await talk(bed, others, 600);
    expect(bed.server.stats()).toMatchObject({ connections: 2, sessions: 3 });
    for (const speaker of others) speaker.judge(bed);
  });

  test('a tab that reads nothing holds up nobody, and not more waits for it than may', async () => {
    const bed = tabsBed(1, { limits: { maxBufferedBytes: 10_000, slowConsumerMs: 5_000 } });
    const closes: number[] = [];
    bed.server.onDetach((_session, { code }) => closes.push(code));
    bed.server.rooms('all', { join: true });
    const speakers = [new Speaker(bed), new Speaker(bed), new Speaker(bed)];
    await bed.clock.advance(1_000);
    const got = new Map<BrowserTab, number[]>();
    for (const { tab } of speakers) {
      const room = tab.client.room('all');
      got.set(tab, []);
      room.on('news', (n) => void got.get(tab)?.push((n as { n: number }).n));
      void room.join();
    }
    await bed.clock.advance(500);
    const still = speakers.find(({ tab }) => tab !== bed.browser.leader) as Speaker;
    still.tab.freeze();
    for (let n = 1; n <= 300; n++) {
      void bed.server.to('all').send('news', { n, text: 'x'.repeat(1_000) });
      await bed.clock.advance(20);
    }
    // Looked at with the next ping.
    await bed.clock.advance(20_000);
    expect(closes).toEqual([4408]);
    for (const { tab } of speakers) if (tab !== still.tab) expect(got.get(tab)).toEqual(upTo(300));
    // 128 KiB, and what goes beside.
    expect(still.tab.waiting).toBeLessThan(150);
    still.tab.thaw();
    await bed.clock.advance(40_000);
    expect([got.get(still.tab), still.status]).toEqual([upTo(300), 'connected']);
  });

  test('a dead socket is found by one tab, and left by all', async () => {
    const { bed, speakers } = await three();
    // Whichever of them dials the next one.
    for (const { tab } of speakers) tab.link.freeze();
    speakers[0].say();
    await bed.clock.advance(12_000);
    expect(bed.browser.leader?.link.dials).toBeGreaterThan(0);
    for (const { tab } of speakers) expect(tab.client.getState().status).not.toBe('connected');
    for (const { tab } of speakers) tab.link.heal();
    await bed.clock.advance(30_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect(bed.browser.sockets).toBe(1);
  });

  test('a server that moves its clients away: what they dial next is another socket', async () => {
    const { bed, speakers } = await three();
    for (const socket of bed.sockets) socket.retire();
    await bed.clock.advance(100);
    const late = new Speaker(bed);
    await bed.clock.advance(1_000);
    expect([late.status, bed.browser.sockets]).toEqual(['connected', 2]);
    await talk(bed, [...speakers, late], 10);
    await bed.clock.advance(1_000);
    for (const speaker of [...speakers, late]) speaker.judge(bed);
  });

  test('a server that shares no sockets: each tab has its own, and says so once', async () => {
    const bed = tabsBed();
    bed.shares = false;
    const speakers = [new Speaker(bed), new Speaker(bed)];
    await bed.clock.advance(1_000);
    await talk(bed, speakers, 10);
    for (const { tab } of speakers) tab.link.cut();
    await bed.clock.advance(10_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect(bed.browser.sockets).toBe(2);
    for (const { tab } of speakers) {
      expect(tab.warnings).toEqual([expect.stringMatching(/shares no socket among tabs/)]);
    }
  });

  test('a page that may make no channel has its own socket, and says why once', async () => {
    const bed = tabsBed();
    const speakers = [new Speaker(bed, { channels: 'barred' }), new Speaker(bed, { channels: 'barred' })];
    await bed.clock.advance(1_000);
    await talk(bed, speakers, 10);
    for (const { tab } of speakers) tab.link.cut();
    await bed.clock.advance(10_000);
    for (const speaker of speakers) speaker.judge(bed);
    for (const { tab } of speakers) {
      expect(tab.warnings).toEqual([
        expect.stringMatching(/has its own: .* BroadcastChannel \(The operation/),
      ]);
    }
  });

  test('more tabs than a socket carries: another socket', async () => {
    const bed = tabsBed();
    const speakers = Array.from({ length: 70 }, () => new Speaker(bed));
    await bed.clock.advance(3_000);
    await talk(bed, speakers, 3);
    await bed.clock.advance(1_000);
    for (const speaker of speakers) speaker.judge(bed);
    expect(bed.browser.sockets).toBe(2);
  });
});

/** What happens to the tabs, by the dice. */
async function storm(seed: number): Promise<void> {
  const bed = tabsBed(seed);
  const random = seededRandom(seed);
  const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random.fraction() * of.length)];
  const speakers: Speaker[] = [new Speaker(bed), new Speaker(bed)];
  for (let step = 0; step < 400; step++) {
    const alive = speakers.filter(({ tab }) => tab.state !== 'dead');
    const dice = random.fraction();
    if (dice < 0.015) bed.browser.leader?.link.cut(pick(['both', 'client', 'server'] as const));
    else if (dice < 0.02 && alive.length > 1) (bed.browser.leader ?? pick(alive)?.tab)?.die();
    else if (dice < 0.025 && alive.length > 1) pick(alive)?.tab.die();
    else if (dice < 0.035) pick(alive)?.tab.freeze();
    else if (dice < 0.06) pick(alive)?.tab.thaw();
    else if (dice < 0.065 && speakers.length < 8) speakers.push(new Speaker(bed));
    else if (dice < 0.075) pick(alive)?.tab.signal('asleep');
    else if (dice < 0.1) pick(alive)?.tab.signal('awake');
    else if (dice < 0.105) bed.browser.leader?.link.freeze(pick(['up', 'down', 'both'] as const));
    else if (dice < 0.13) for (const { tab } of alive) tab.link.heal();
    else if (dice < 0.5) pick(alive)?.say();
    else pick(alive)?.tell(bed);
    await bed.clock.advance(random.fraction() * 150);
  }
  for (const { tab } of speakers) {
    tab.link.heal();
    tab.thaw();
    if (tab.state === 'alive') tab.signal('awake');
  }
  await bed.clock.advance(60_000);
  for (const speaker of speakers) speaker.judge(bed);
  const alive = speakers.filter(({ tab }) => tab.state === 'alive');
  expect(alive.map(({ status }) => status)).toEqual(alive.map(() => 'connected'));
  const believed = alive.reduce((sum, { tab }) => sum + tab.link.connections, 0);
  expect(believed, 'sockets').toBe(1);
}

describe('by the dice: each tab gets everything once and in order', () => {
  test.each(upTo(40))('seed %i', (seed) => storm(seed));
});
