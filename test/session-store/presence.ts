import type { Attendance, Presence, PresentNote } from '@holdfast/server/ports';
import { describe, expect, test } from 'vitest';
import { begin, event, type MakeStore, notesOf, type StoreOptions, Talk } from './harness.js';

const LEASE_MS = 10_000;
/** Of a list. */
const MOST = 1_024;

/** Who is there in rooms, and which servers live. */
export function suiteOfPresence(make: MakeStore): void {
  /** Two members of a room, `s1` and `s2`. */
  const hall = async (options: StoreOptions = {}) => {
    const under = await make({ leaseMs: LEASE_MS, ...options });
    const { store, settle } = under;
    const [ada, bob] = [await begin(store, 's1'), await begin(store, 's2')];
    for (const talk of [ada, bob]) await talk.join('hall', 1);
    await settle();
    const say = async (
      talk: Pick<Talk, 'sid'>,
      gen: number,
      w: number,
      how: 'there' | 'gone',
      json?: string,
    ) => {
      const there = { userId: 'ada', node: 'A', ...(json && { state: { json, setAt: w } }) };
      const call = { room: 'hall', sid: talk.sid, gen, w, ...(how === 'there' && { there }) };
      return (await store.present(call)).status;
    };
    const who = () => store.whoIsThere({ room: 'hall' });
    const notes = notesOf(store);
    const told = async (): Promise<PresentNote[]> => {
      await settle();
      return notes.splice(0).filter((note) => note.about === 'present');
    };
    return { ...under, ada, bob, say, who, told };
  };
  const inWords = ({ present }: Pick<Attendance, 'present'>): string[] =>
    present.map(({ sid, gen, w, there }: Presence) =>
      `${sid} ${gen}.${w} ${there?.state?.json ?? ''}`.trim(),
    );

  describe('the list of who is there in a room', () => {
    test('is empty where nobody has said so, and whoever is not a member is not there', async () => {
      const { store, say, who, told } = await hall();
      expect(await who()).toEqual({ version: 0, present: [] });
      expect(await store.whoIsThere({ room: 'nowhere' })).toEqual({ version: 0, present: [] });
      const stranger = await begin(store, 's3');
      expect(await say(stranger, 1, 1, 'there')).toBe('gone');
      expect(await say(stranger, 1, 2, 'gone')).toBe('gone');
      expect(await say({ sid: 'nobody' }, 1, 1, 'there')).toBe('gone');
      expect(await who()).toEqual({ version: 0, present: [] });
      expect(await told()).toEqual([]);
    });

    test('holds what was said, who said it last behind the others; each change is told, with the one before', async () => {
      const { ada, bob, say, who, told } = await hall();
      expect(await say(ada, 5, 1, 'there', '"well"')).toBe('ok');
      expect(await say(bob, 6, 2, 'there')).toBe('ok');
      const { version, present } = await who();
      expect(present).toEqual([
        { sid: 's1', gen: 5, w: 1, there: { userId: 'ada', node: 'A', state: { json: '"well"', setAt: 1 } } },
        { sid: 's2', gen: 6, w: 2, there: { userId: 'ada', node: 'A' } },
      ]);
      await say(ada, 5, 3, 'there');
      await say(bob, 6, 4, 'gone');
      expect(inWords(await who())).toEqual(['s1 5.3']);
      const all = await told();
      expect(all.map(({ room, presence }) => [room, presence.sid, presence.gen, presence.w])).toEqual([
        ['hall', 's1', 5, 1],
        ['hall', 's2', 6, 2],
        ['hall', 's1', 5, 3],
        ['hall', 's2', 6, 4],
      ]);
      expect(all.map(({ presence }) => presence.there?.state?.json)).toEqual(['"well"', ...Array(3)]);
      expect(all.map(({ presence }) => presence.there?.node)).toEqual(['A', 'A', 'A', undefined]);
      expect(all[0]?.before).toBe(0);
      for (const [index, { before }] of all.slice(1).entries()) expect(before).toBe(all[index]?.version);
      expect(all[1]?.version).toBe(version);
      expect(all[3]?.version).toBe((await who()).version);
    });

    test('an older generation changes nothing, nor what was said before, nor what is said again', async () => {
      const { ada, say, who, told } = await hall();
      await say(ada, 5, 7, 'there', '7');
      const [first] = await told();
      for (const [gen, w, how] of [
        [4, 9, 'there'],
        [4, 9, 'gone'],
        [5, 6, 'there'],
        [5, 6, 'gone'],
        [5, 7, 'there'],
      ] as const)
        expect(await say(ada, gen, w, how, 'late')).toBe('ok');
      expect(inWords(await who())).toEqual(['s1 5.7 7']);
      expect(await told()).toEqual([]);
      await say(ada, 6, 1, 'there');
      expect(inWords(await who())).toEqual(['s1 6.1']);
      expect(await told()).toMatchObject([{ before: first?.version }]);
    });

    test('who takes off what stands there under a number takes off that, and nothing newer', async () => {
      const { ada, bob, say, who, told } = await hall();
      for (const talk of [ada, bob]) await say(talk, 5, 7, 'there');
      await say(bob, 5, 8, 'there');
      await told();
      for (const talk of [ada, bob, ada]) expect(await say(talk, 5, 7, 'gone')).toBe('ok');
      expect(inWords(await who())).toEqual(['s2 5.8']);
      expect(await told()).toMatchObject([{ presence: { sid: 's1', gen: 5, w: 7 } }]);
    });

    test('who leaves, is taken out, or whose session ends is off it at once, and not by what comes late', async () => {
      const { store, ada, bob, say, who, told } = await hall();
      const eve = await begin(store, 's3');
      await eve.join('hall', 1);
      for (const talk of [ada, bob, eve]) await say(talk, 5, 1, 'there');
      await told();
      await ada.accept([event(2)]);
      await ada.claim('A', { max: 1 });
      await store.done({ sid: 's1', seq: 2, token: 'token-A', room: { name: 'hall' } });
      await store.move({ sid: 's2', move: { name: 'hall' } });
      expect(inWords(await who())).toEqual(['s3 5.1']);
      await store.end({ sid: 's3', why: 'ended' });
      expect(inWords(await who())).toEqual([]);
      const gone = (await told()).map(({ presence }) => presence);
      expect(gone).toEqual(['s1', 's2', 's3'].map((sid) => ({ sid, gen: 5, w: 1 })));
      for (const talk of [ada, bob, eve]) expect(await say(talk, 9, 9, 'there')).toBe('gone');
      expect(await told()).toEqual([]);
    });

    test('what a member tells about itself is what is said of it, and not what the session keeps', async () => {
      const { store, ada, say, who } = await hall();
      await say(ada, 5, 1, 'there', '1');
      await store.move({ sid: 's1', move: { name: 'hall', presence: { json: '2', setAt: 2 } } });
      expect(inWords(await who())).toEqual(['s1 5.1 1']);
    });

    test(`has places for ${MOST}`, async () => {
      const { store, ada, bob, say, who, told } = await hall();
      const many = Array.from({ length: MOST - 1 }, (_, n) => new Talk(store, `m.${n}`));
      const { top: position } = await store.readRoom({ room: 'hall' });
      const membership = { position, replaced: [] };
      await Promise.all(
        many.map(async (talk) => {
          await talk.attachFresh();
          await store.move({ sid: talk.sid, move: { name: 'hall', membership } });
          await say(talk, 1, 1, 'there');
        }),
      );
      expect(await say(ada, 5, 1, 'there')).toBe('ok');
      await told();
      expect(await say(bob, 5, 1, 'there')).toBe('full');
      expect(await say(bob, 5, 1, 'gone')).toBe('ok');
      expect(await say(ada, 5, 2, 'there', '"still"')).toBe('ok');
      expect((await who()).present).toHaveLength(MOST);
      expect(await told()).toHaveLength(1);
      await say(ada, 5, 3, 'gone');
      expect(await say(bob, 5, 2, 'there')).toBe('ok');
    }, 60_000);

    test('a room that is made anew does not come back to versions that it had', async () => {
      const { store, ada, bob, say, who, pass } = await hall();
      await say(ada, 5, 1, 'there');
      await say(bob, 5, 1, 'there');
      const { version } = await who();
      for (const sid of ['s1', 's2']) await store.end({ sid, why: 'ended' });
      await pass(600_000);
      const eve = await begin(store, 's3');
      await eve.join('hall', 1);
      await say(eve, 5, 1, 'there');
      expect((await who()).version).toBeGreaterThan(version);
    });
  });

  test('the servers that live are those that have said so within a lease', async () => {
    const { store, pass } = await make({ leaseMs: LEASE_MS });
    const living = async (node: string) => [...(await store.beat({ node })).living].sort();
    expect(await living('A')).toEqual(['A']);
    await pass(LEASE_MS / 2);
    expect(await living('B')).toEqual(['A', 'B']);
    await pass(LEASE_MS / 2);
    expect(await living('B')).toEqual(['A', 'B']);
    await pass(1);
    expect(await living('B')).toEqual(['B']);
    expect(await living('A')).toEqual(['A', 'B']);
    await pass(10 * LEASE_MS);
    expect(await living('C')).toEqual(['C']);
  });
}
