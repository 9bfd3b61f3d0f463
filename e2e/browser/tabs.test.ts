import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import { TAB_SEEN, type TabSeen, TabsSite } from '../support/tabs-site.js';
import type { Visitor } from '../support/visitor.js';

// Several real tabs on one socket.

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const MANY = 300;

inEachEngine(({ name, open }) => {
  let visitor: Visitor;
  let site: TabsSite;
  let tabs: { readonly user: string; readonly tab: Visitor }[] = [];
  const look = (tab: Visitor) => tab.read<TabSeen>(TAB_SEEN);
  const isConnected = (tab: Visitor) => eventually(async () => (await look(tab)).status).toBe('connected');

  async function openTab(user: string, path = '/'): Promise<Visitor> {
    const tab = await visitor.newTab();
    tabs.push({ user, tab });
    await tab.goTo(`${site.url}${path}?${user}`);
    await isConnected(tab);
    return tab;
  }

  async function closeTab(tab: Visitor): Promise<void> {
    tabs = tabs.filter((one) => one.tab !== tab);
    await tab.close();
  }

  /** Who has dialled the socket. */
  async function leaderAmong(all: readonly Visitor[]): Promise<Visitor> {
    for (const tab of all) if ((await look(tab)).sockets > 0) return tab;
    throw new Error('nobody has a socket');
  }

  /** Everything that was said on both sides is there once and in order. */
  async function hasAll(user: string, tab: Visitor): Promise<void> {
    await eventually(() => site.notes.get(user)?.length).toBe(MANY);
    await eventually(async () => (await look(tab)).heard.length).toBe(MANY);
    expect(site.notes.get(user), `of ${user}`).toEqual(upTo(MANY));
    const { heard, troubles } = await look(tab);
    expect([heard, troubles], user).toEqual([upTo(MANY), []]);
    expect(site.sessions.get(user), `sessions of ${user}`).toHaveLength(1);
  }

  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());
  beforeEach(async () => {
    site = await TabsSite.open();
  });
  afterEach(async () => {
    for (const { tab } of tabs) await tab.close();
    tabs = [];
    await site.close();
  });

  test('three tabs, one socket; the leading one is closed in the middle: the others miss nothing', async () => {
    const all = [await openTab('ada'), await openTab('grace'), await openTab('mary')];
    expect([site.sockets.size, site.server.stats().connections]).toEqual([1, 3]);
    const leader = await leaderAmong(all);
    expect((await Promise.all(all.map(look))).map(({ sockets }) => sockets).sort()).toEqual([0, 0, 1]);
    for (const { tab } of tabs) await tab.read(`void say(${MANY})`);
    const telling = site.tell(MANY);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await closeTab(leader);
    await telling;
    expect(tabs).toHaveLength(2);
    for (const { user, tab } of tabs) await hasAll(user, tab);
    await eventually(() => site.sockets.size).toBe(1);
    for (const { tab } of tabs) expect((await look(tab)).warnings).toEqual([]);
  });

  test('the socket is cut, twice: all resume, on one socket again', async () => {
    await openTab('ada');
    await openTab('grace');
    await openTab('mary');
    for (const { tab } of tabs) await tab.read(`void say(${MANY})`);
    const telling = site.tell(MANY);
    for (let n = 0; n < 2; n++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      site.cut();
    }
    await telling;
    for (const { user, tab } of tabs) await hasAll(user, tab);
    await eventually(() => site.sockets.size).toBe(1);
  });

  test('the leading tab goes to another page, and comes back: the others miss nothing', async () => {
    const all = [await openTab('ada'), await openTab('grace')];
    const leader = await leaderAmong(all);
    const others = tabs.filter(({ tab }) => tab !== leader);
    for (const { tab } of others) await tab.read(`void say(${MANY})`);
    const telling = site.tell(MANY);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await leader.goTo(`${site.url}/elsewhere`);
    await telling;
    for (const { user, tab } of others) await hasAll(user, tab);
    await leader.back();
    await eventually(() => leader.read('typeof TAB')).toBe('string');
    await isConnected(leader);
    // Firefox ends the sockets of a page that is left, and keeps none that had some.
    expect(await leader.read('kept')).toBe(name !== 'Firefox');
    expect((await look(leader)).troubles).toEqual([]);
    await eventually(() => site.sockets.size).toBe(1);
  });

  test('a tab that is opened with the address of another one has a session of its own, and leaves that alone', async () => {
    const first = await openTab('ada');
    const second = await openTab('ada');
    await eventually(() => site.sessions.get('ada')?.length).toBe(2);
    expect([(await look(first)).kept, (await look(second)).kept]).toEqual([0, 0]);
    await second.goTo(`${site.url}/?ada`);
    await isConnected(second);
    expect((await look(first)).status).toBe('connected');
    expect((await look(first)).troubles).toEqual([]);
    expect(site.sockets.size).toBe(1);
  });

  test('a shared worker has the socket, and no tab does; tabs come and go', async () => {
    const first = await openTab('ada', '/worker');
    const second = await openTab('grace', '/worker');
    await openTab('mary', '/worker');
    expect([site.sockets.size, site.server.stats().connections]).toEqual([1, 3]);
    for (const { tab } of tabs) await tab.read(`void say(${MANY})`);
    const telling = site.tell(MANY);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await closeTab(first);
    await telling;
    for (const { user, tab } of tabs) await hasAll(user, tab);
    await eventually(() => site.server.stats().connections).toBe(2);
    expect([site.sockets.size, (await look(second)).sockets]).toEqual([1, 0]);
    for (const { tab } of tabs) expect((await look(tab)).warnings).toEqual([]);
  });

  test('a worker whose script is not there: said once, and one of the tabs has the socket', async () => {
    await openTab('ada', '/no-worker');
    await openTab('grace', '/no-worker');
    for (const { tab } of tabs) {
      expect((await look(tab)).warnings).toEqual([expect.stringMatching(/tabs.worker does not run/)]);
    }
    expect(site.sockets.size).toBe(1);
  });

  test('a browser without Web Locks: each tab has a socket, and it is said why', async () => {
    await openTab('ada', '/without-locks');
    await openTab('grace', '/without-locks');
    for (const { tab } of tabs) {
      expect((await look(tab)).warnings).toEqual([
        expect.stringMatching(/each has its own: this browser has no/),
      ]);
    }
    expect(site.sockets.size).toBe(2);
  });

  // Firefox and WebKit may run tabs of one site in one process: they would all stand still.
  test.runIf(name === 'Chromium')('a leading tab that has hung loses the socket to another one', async () => {
    const all = [await openTab('ada'), await openTab('grace'), await openTab('mary')];
    const leader = await leaderAmong(all);
    await leader.read(
      `void setTimeout(() => { for (const end = Date.now() + 20_000; Date.now() < end; ); }, 0)`,
    );
    const others = tabs.filter(({ tab }) => tab !== leader);
    for (const { tab } of others) await tab.read(`void say(${MANY})`);
    await site.tell(MANY);
    for (const { user, tab } of others) await hasAll(user, tab);
    const dialled = await Promise.all(others.map(async ({ tab }) => (await look(tab)).sockets));
    expect(dialled.sort()).toEqual([0, 1]);
    await isConnected(leader);
    await eventually(async () => (await look(leader)).heard).toEqual(upTo(MANY));
    await eventually(() => site.sockets.size).toBe(1);
  });
});
