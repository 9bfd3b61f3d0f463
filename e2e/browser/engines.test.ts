import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import { SEEN, type Seen, Site } from '../support/site.js';
import type { Visitor } from '../support/visitor.js';

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

inEachEngine(({ name, open }) => {
  // Firefox ends the WebSockets of a page with 1001 when it begins to load another one, before `pagehide`: the client
  // can say no goodbye on them, and the page is not kept.
  const endsSocketsFirst = name === 'Firefox';
  let visitor: Visitor;
  let site: Site;
  const look = () => visitor.read<Seen>(SEEN);
  const status = async () => (await look()).state.status;
  const heard = async () => (await look()).heard;

  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());
  beforeEach(async () => {
    site = await Site.open();
    await visitor.goTo(site.url);
    await eventually(status).toBe('connected');
  });
  afterEach(async () => {
    await visitor.goTo('about:blank');
    await site.close();
  });

  test('cut while both ends speak: the session goes on, and each message arrives once, in order', async () => {
    await visitor.read(`void (seen.timer = setInterval(() => {
      for (let n = 0; n < 5; n++) client.send('note', seen.sent = (seen.sent ?? 0) + 1);
      if (seen.sent === 200) clearInterval(seen.timer);
    }, 10))`);
    for (let n = 0; n < 200; n += 20) {
      site.tell(n + 1, n + 20);
      await new Promise((resolve) => setTimeout(resolve, 40));
      if (n === 60) await site.proxy.cut({ how: 'reset' });
      if (n === 140) await site.proxy.cut({ how: 'end' });
    }
    await eventually(() => site.notes.length).toBeGreaterThanOrEqual(200);
    await eventually(async () => (await heard()).length).toBeGreaterThanOrEqual(200);
    const { state, errors, heard: all } = await look();
    expect([site.notes, all]).toEqual([upTo(200), upTo(200)]);
    expect([errors, state]).toMatchObject([[], { status: 'connected', recovered: true }]);
    expect(site.sessions).toHaveLength(1);
  });

  test.skipIf(endsSocketsFirst)(
    'back/forward cache: a page with a connection comes back to its session, without an error',
    async () => {
      const before = await look();
      await visitor.goTo(`${site.url}/elsewhere`);
      await site.has('detached 1000');
      site.tell(1, 50);
      await visitor.back();
      await eventually(status).toBe('connected');
      await eventually(heard).toEqual(upTo(50));
      const { born, shows, hides, errors, state } = await look();
      expect([born, shows, hides, errors]).toEqual([before.born, [false, true], [true], []]);
      expect(state).toMatchObject({ recovered: true, sessionId: before.state.sessionId });
      expect(site.events).toEqual(['attached', 'detached 1000', 'recovered']);
    },
  );

  test('back/forward cache: a page that was waiting for its next attempt dials at once', async () => {
    await visitor.goTo(`${site.url}/calm`);
    await eventually(status).toBe('connected');
    const before = await look();
    await site.proxy.cut();
    await eventually(status).toBe('reconnecting');
    site.tell(1, 50);
    await visitor.goTo(`${site.url}/elsewhere`);
    await visitor.back();
    await eventually(status).toBe('connected');
    await eventually(heard).toEqual(upTo(50));
    const { born, shows, hides, errors, state } = await look();
    expect([born, shows, hides, errors]).toEqual([before.born, [false, true], [true], []]);
    expect(state).toMatchObject({ recovered: true, sessionId: before.state.sessionId });
  });

  test('a proxy that strips the subprotocol: a dial that failed, and another one later', async () => {
    await visitor.goTo(`${site.url}/stripped`);
    await eventually(async () => (await look()).states).toContain('reconnecting ERR_DIAL_FAILED');
    await eventually(() => site.stripped).toBeGreaterThan(1);
    expect((await look()).state.status).toBe('reconnecting');
  });

  test('a page that is loaded anew: its session ends at once, where the browser lets it say so', async () => {
    await visitor.read(`void setTimeout(() => location.reload(), 0)`);
    await eventually(() => site.sessions.length).toBe(2);
    await eventually(status).toBe('connected');
    const ended = endsSocketsFirst ? ['detached 1001'] : ['detached 1000', 'closed'];
    await eventually(() => site.events.filter((event) => event !== 'attached')).toEqual(ended);
    expect(site.server.stats()).toMatchObject({ sessions: endsSocketsFirst ? 2 : 1, connections: 1 });
  });
});
