import { expect, test } from 'vitest';
import { Groups } from '../../src/groups.js';

test('a text is in its group as often as it was added, and the group is gone with its last text', () => {
  const groups = new Groups();
  groups.add('ann', 'a');
  expect([groups.size('ann'), groups.has('ann', 'a'), groups.has('ann', 'b')]).toEqual([1, true, false]);
  groups.add('ann', 'a');
  groups.add('ann', 'b');
  groups.add('bob', 'b');
  expect([groups.size('ann'), ...groups.of('ann')]).toEqual([2, 'a', 'b']);
  groups.delete('ann', 'a');
  expect([...groups.of('ann')]).toEqual(['a', 'b']);
  groups.delete('ann', 'a');
  expect([...groups.of('ann')]).toEqual(['b']);
  // Of whom nobody knows, or who is gone already, nothing goes.
  groups.delete('ann', 'a');
  groups.delete('bob', 'a');
  groups.delete('eve', 'a');
  groups.delete('ann', 'b');
  expect([groups.size('ann'), ...groups.of('ann'), ...groups.of('bob')]).toEqual([0, 'b']);
});
